"""Self-taught learning: the code that is learned without labels, and the machine on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.self_taught import SelfTaught, SelfTaughtOptions
from bgadl_tf.learners.sparse_coding import Dictionary
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import reseed, small_learner


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The embedded dataset."""
    return load_dataset("digits")


def make(**options: float) -> SelfTaught:
    learner = small_learner("self_taught", "shallow", **options)
    assert isinstance(learner, SelfTaught)
    reseed(learner.pretext)
    return learner


def prepared(digits: Dataset, steps: int = 200, **options: float) -> tuple[SelfTaught, Floats]:
    """A learner whose trunk is prepared, and the means of the last steps of the pretext task."""
    learner = make(**options)
    means: dict[str, float] = {}
    Trainer(
        learner.pretext, learner.space, tf.distribute.get_strategy(), 50, labelled=False
    ).train(
        None, None, (1, 2), steps, unlabelled=digits.train.examples, report_every=steps // 2,
        progress=lambda _, new: means.update(new),
    )  # fmt: skip
    return learner, np.array([means[name] for name in ("reconstruction", "length", "active")])


def weights(learner: Learner) -> list[Floats]:
    return [np.asarray(v.numpy()) for v in learner.classifier.trunk_variables]


def test_atoms_are_of_length_1() -> None:
    dictionary = Dictionary(5, (4, 3, 1))
    dictionary.dense.kernel.assign(dictionary.dense.kernel * 7.0)
    atoms = dictionary(tf.eye(5)).numpy().reshape(5, 12)
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1.0, rtol=1e-5)


def test_the_loss_by_hand() -> None:
    learner = make(sparsity=0.5, pretext_learning_rate=1e-12)
    images = some_images(16)
    x = tf.constant(images, tf.float32) / 255.0
    codes = learner.classifier.features(x)
    error = tf.reduce_sum(tf.square(x - learner.dictionary(codes)), (1, 2, 3))
    found = learner.pretext.train_on_batch(images, return_dict=True)
    assert found["reconstruction"] == pytest.approx(float(tf.reduce_mean(error)), rel=1e-4)
    assert found["length"] == pytest.approx(
        float(tf.reduce_mean(tf.reduce_sum(codes, 1))), rel=1e-4
    )
    assert found["active"] == pytest.approx(np.mean(codes.numpy() > 0), rel=1e-4)


def test_it_learns_a_code_that_is_sparse_where_that_is_wanted(digits: Dataset) -> None:
    _, dense = prepared(digits, sparsity=0.0)
    _, sparse = prepared(digits, sparsity=0.3)
    variance = float(np.square(digits.train.examples[:] / 255.0).sum((1, 2, 3)).mean())
    assert dense[0] < sparse[0] < 0.5 * variance
    assert sparse[1] < 0.5 * dense[1]
    assert sparse[2] < dense[2]


def test_rounds_train_the_head_alone(one_device: tf.distribute.Strategy) -> None:
    learner = make()
    before, head = weights(learner), learner.classifier.head.last_kernel().numpy()
    Trainer(learner, learner.space, one_device, 8).train(
        some_images(16), some_labels(16), (1, 2), 3
    )
    assert all(map(np.array_equal, before, weights(learner)))
    assert not np.array_equal(head, learner.classifier.head.last_kernel())


def test_it_is_prepared_once_before_round_0(digits: Dataset, tmp_path: Path) -> None:
    learner = make(pretext_steps=20)
    plan = Plan(rounds=1, query_size=5, initial_size=20, steps=20, batch_size=20)
    loop = ActiveLearner(learner, "mase", digits, folder=tmp_path, plan=plan)
    before = weights(learner)
    loop.step()
    prepared = weights(learner)
    assert not any(map(np.array_equal, before, prepared))
    loop.step()
    assert all(map(np.array_equal, prepared, weights(learner)))
    assert [stage.name for stage in learner.stages(0)] == ["pretext", "train"]
    assert [stage.name for stage in learner.stages(1)] == ["train"]


def test_vectors_have_codes_too(one_device: tf.distribute.Strategy) -> None:
    learner = SelfTaught.create(CLASSIFIERS.get("shallow")((12,), 10), SelfTaughtOptions())
    learner.compile()
    reseed(learner)
    means: list[dict[str, float]] = []
    Trainer(learner.pretext, learner.space, one_device, 20, labelled=False).train(
        None, None, (1, 2), 60, unlabelled=some_vectors(40), report_every=20,
        progress=lambda _, new: means.append(new),
    )  # fmt: skip
    assert means[-1]["reconstruction"] < means[0]["reconstruction"]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="Linear has nothing to train; use --classifier shallow"):
        small_learner("self_taught", "linear")
    for option, value in (("pretext_steps", 0), ("pretext_learning_rate", 0), ("sparsity", -1)):
        with pytest.raises(ConfigError, match=f"--option {option} is {value}; must be"):
            SelfTaughtOptions(**{option: value})
