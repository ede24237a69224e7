"""A learning rate of its own for what is below the head of a classifier."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.plain import Plain
from bgadl_tf.loop.checkpoints import Checkpoints
from bgadl_tf.loop.journal import Moment
from bgadl_tf.models.classifiers.base import Classifier
from tests.support.examples import some_images, some_labels
from tests.support.learners import reseed, small_learner, weights_of

IMAGES, LABELS = some_images(16), some_labels(16)


def with_own_rate(name: str, rate: float) -> Learner:
    if name in ("simsiam", "self_taught"):
        return small_learner(name, trunk_learning_rate=rate, freeze=False)
    return small_learner(name, trunk_learning_rate=rate)


def trainer_of(learner: Learner) -> Trainer:
    return Trainer(learner, learner.space, tf.distribute.get_strategy(), 8)


SLOW = ("acgan", "vaeacgan", "vaeacgan-alternating")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in LEARNERS.names()],
)
def test_the_trunk_moves_at_its_own_rate_and_is_resumed_and_begins_anew(
    name: str, tmp_path: Path
) -> None:
    learner = with_own_rate(name, 1e-12)
    assert [*learner.optimizers][:2] == ["classifier", "trunk"]
    trunk = [variable.numpy() for variable in learner.classifier.trunk_variables]
    head = [variable.numpy() for variable in learner.classifier.head.trainable_variables]
    trainer = trainer_of(learner)
    trainer.train(IMAGES, LABELS, (1, 2), 1, unlabelled=IMAGES)
    checkpoints = Checkpoints(tmp_path, learner)
    checkpoints.save(Moment(0, 0, 1), now=True)
    trainer.train(IMAGES, LABELS, (1, 2), 2, 1, unlabelled=IMAGES)
    for old, new in zip(trunk, learner.classifier.trunk_variables, strict=True):
        np.testing.assert_allclose(new.numpy(), old, atol=1e-9)
    for old, new in zip(head, learner.classifier.head.trainable_variables, strict=True):
        assert not np.allclose(new.numpy(), old, atol=1e-6)
    assert int(learner.optimizers["trunk"].iterations.numpy()) == 2
    expected = {**weights_of(learner), **_states(learner)}
    reseed(learner)
    assert int(learner.optimizers["trunk"].iterations.numpy()) == 0
    checkpoints.restore()
    trainer.train(IMAGES, LABELS, (1, 2), 2, 1, unlabelled=IMAGES)
    for key, value in {**weights_of(learner), **_states(learner)}.items():
        np.testing.assert_array_equal(value, expected[key], err_msg=key)
    learner.reset_optimizers(["classifier"])
    assert int(learner.optimizers["trunk"].iterations.numpy()) == 0


def _states(learner: Learner) -> dict[str, np.ndarray]:
    variables = learner.optimizers["trunk"].variables
    return {f"trunk/{number}": variable.numpy() for number, variable in enumerate(variables)}


@pytest.mark.parametrize("rate", [None, 1e-3])
def test_the_same_rate_changes_nothing(rate: float | None) -> None:
    learner = small_learner("plain", trunk_learning_rate=rate)
    assert [*learner.optimizers] == ["classifier"]
    assert len(learner.trained_variables("classifier")) == len(learner.trainable_variables)


def test_new_classes_keep_both_optimizers() -> None:
    learner = with_own_rate("plain", 1e-2)
    grown = with_classes(learner, 12)
    assert [*grown.optimizers] == ["classifier", "trunk"]
    trainer_of(grown).train(IMAGES, LABELS, (1, 2), 1)


def test_where_the_head_alone_is_trained_it_is_refused() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(),
                              keras.layers.Dense(5)])  # fmt: skip
    classifier = Classifier.from_model(model, 10, fine_tune="head")
    message = r"trunk_learning_rate is 0\.1, but of classifier .* the head alone is trained"
    with pytest.raises(ConfigError, match=message):
        Plain(classifier, Options(trunk_learning_rate=0.1))
    with pytest.raises(ConfigError, match=message):
        small_learner("simsiam", trunk_learning_rate=0.1)
    with pytest.raises(ConfigError, match=message):
        small_learner("plain", "mlp", trunk_learning_rate=0.1)


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"learning rate is -1"):
        small_learner("plain", trunk_learning_rate=-1.0)
