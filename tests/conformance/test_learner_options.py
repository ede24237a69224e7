"""What holds for every registered learner holds with options that change its steps, too."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.learners.learner import Learner
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import reseed, small_learner, weights_of

LABELS = some_labels(40)
OPTIONS = [
    ("vaeacgan", {
        "reconstruction": "both", "free_bits": 0.001, "posterior": "mean", "prior": "class",
        "ascent_steps": 2, "warmup_steps": 0, "batch_augmentation": 2,
    }),
]  # fmt: skip
IMAGES, VECTORS = ("gal_cnn", (8, 8, 1)), ("mlp", (12,))

pytestmark = pytest.mark.parametrize(("name", "options"), OPTIONS)


def train(learner: Learner, strategy: tf.distribute.Strategy, start: int, *stops: int) -> None:
    """Steps from ``start`` on, with a break at every stop."""
    images = len(learner.space.shape) == 3
    examples = some_images(40) if images else some_vectors(40)
    pool = some_images(50, seed=1) if images else some_vectors(50, seed=1)
    trainer = Trainer(learner, learner.space, strategy, 16)
    for first, last in zip((start, *stops), stops, strict=False):
        trainer.train(examples, LABELS, (1, 2), last, first, unlabelled=pool)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("classifier", "shape"), [IMAGES, VECTORS])
def test_a_step_on_two_replicas_is_a_step_on_one(
    name: str, options: dict[str, object], classifier: str, shape: Shape,
    one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy,
) -> None:  # fmt: skip
    after = []
    for strategy in (one_device, mirrored):
        with strategy.scope():
            learner = small_learner(name, classifier, shape, **options)
            learner.compile({key: keras.optimizers.SGD(0.001) for key in learner.networks})
        learner.optimizers["generator"].iterations.assign(10)  # what is generated counts
        train(learner, strategy, 0, 1)
        after.append(weights_of(learner))
    for key, value in after[0].items():
        np.testing.assert_allclose(after[1][key], value, rtol=0, atol=1e-6, err_msg=key)


@pytest.mark.parametrize(
    ("classifier", "shape"), [pytest.param(*IMAGES, marks=pytest.mark.slow), VECTORS]
)
def test_stopping_between_steps_changes_nothing_and_it_is_saved_and_grows(
    name: str, options: dict[str, object], classifier: str, shape: Shape,
    one_device: tf.distribute.Strategy, tmp_path: Path,
) -> None:  # fmt: skip
    learner = small_learner(name, classifier, shape, **options)
    before = weights_of(learner)
    train(learner, one_device, 0, 6)
    whole = weights_of(learner)
    still = {key.partition("/")[0] for key in whole} - {
        key.partition("/")[0] for key, value in whole.items() if not (value == before[key]).all()
    }
    assert not still
    reseed(learner)
    train(learner, one_device, 0, 3, 6)
    for key, value in weights_of(learner).items():
        np.testing.assert_array_equal(value, whole[key], err_msg=key)
    tf.random.set_seed(0)  # of initial weights, where another test has asked for determinism
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    assert loaded.options == learner.options
    for key, value in weights_of(loaded).items():
        np.testing.assert_array_equal(value, whole[key], err_msg=key)
    grown = with_classes(loaded, 12)
    examples = some_images(16) if len(shape) == 3 else some_vectors(16)
    grown.fit(examples, np.full(16, 11, np.int32), batch_size=8, verbose=0)
    assert grown.saved_networks.keys() == learner.saved_networks.keys()
