"""What holds for every registered classifier, and for those made of a user's model."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.models import predictive
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from tests.support.examples import some_images

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (9, 13, 3), (96, 96, 1)]


USERS = ("model", "model's own dropout")
WITHOUT_DROPOUT = ("linear", "shallow")
"""Classifiers that have none unless a rate is asked for."""


def make(name: str, shape: ImageShape, **kw: object) -> Classifier:
    if name in USERS:
        return of_a_model(name, shape, **kw)
    if name.startswith("resnet"):
        kw["width"] = 0.125
    return CLASSIFIERS.get(name)(shape, 10, **kw)


def of_a_model(
    name: str, shape: ImageShape, dropout: float | None = None, dtype: str | None = None
) -> Classifier:
    """Of a model for colour images of any size, with everything that draws or normalises in it."""
    layers = keras.layers
    own = name != "model" and dropout is None
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)), layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(), layers.ReLU(), layers.SpatialDropout2D(0.2),
            layers.GlobalAveragePooling2D(), layers.Dropout(0.3), layers.Dense(6, "tanh"),
            layers.Dropout(0.5), layers.Dense(10, "softmax"),
        ]
    )  # fmt: skip
    return Classifier.from_model(
        model, 10, own_dropout=own, dropout=dropout, dtype=dtype, shape=shape
    )


def images(shape: ImageShape, count: int = 4) -> tf.Tensor:
    return tf.constant(some_images(count, shape), tf.float32) / 255.0


@pytest.fixture(params=[*CLASSIFIERS, *USERS])
def name(request: pytest.FixtureRequest) -> str:
    """Each registered classifier, and two that are not."""
    return str(request.param)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_log_probabilities_of_images_of_any_size(name: str, shape: ImageShape) -> None:
    log_probs = make(name, shape)(images(shape))
    assert log_probs.shape == (4, 10)
    np.testing.assert_allclose(tf.reduce_sum(tf.exp(log_probs), 1), 1.0, rtol=1e-5)


def test_passes_differ_and_batch_norm_does_not_move(name: str) -> None:
    # The released code's LeNet has no dropout, so its BALD is 0 (methods, fault 2); other
    # libraries switch dropout on with training=True, which moves BatchNorm's statistics.
    assert make(name, (16, 16, 1)).is_stochastic == (name not in WITHOUT_DROPOUT)
    rate = {"dropout": 0.5} if name in WITHOUT_DROPOUT else {}
    classifier = make(name, (16, 16, 1), **rate)
    before = [weight.numpy() for weight in classifier.weights]
    masks = classifier.head.mc_masks(tf.constant((1, 2)), 10)
    moments = predictive.predict(classifier.head, classifier.features(images((16, 16, 1))), masks)
    assert float(tf.reduce_min(tf.reduce_max(moments.std_probs, 1))) > 0
    for old, weight in zip(before, classifier.weights, strict=True):
        np.testing.assert_array_equal(old, weight.numpy())


def test_no_dropout_is_not_stochastic(name: str) -> None:
    assert not make(name, (16, 16, 1), dropout=0.0).is_stochastic


def test_a_score_does_not_depend_on_batch_mates_or_order(name: str) -> None:
    classifier = make(name, (16, 16, 1))
    batch = images((16, 16, 1), 8)
    masks = classifier.head.mc_masks(tf.constant((1, 2)), 10)

    def score(some: tf.Tensor) -> np.ndarray:
        moments = predictive.predict(classifier.head, classifier.features(some), masks)
        return np.asarray(moments.expected_entropy)

    whole = score(batch)
    np.testing.assert_allclose(score(batch[::-1])[::-1], whole, atol=1e-5)
    np.testing.assert_allclose(score(batch[2:3]), whole[2:3], atol=1e-5)


def test_saved_and_loaded_it_computes_the_same(name: str, tmp_path: Path) -> None:
    classifier = make(name, (16, 16, 3), dropout=0.3)
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images((16, 16, 3))), classifier(images((16, 16, 3))))
    assert loaded.head.rates == classifier.head.rates


def test_bfloat16_computes_nearly_the_same(name: str) -> None:
    plain = make(name, (16, 16, 1))
    mixed = make(name, (16, 16, 1), dtype="mixed_bfloat16")
    mixed.set_weights(plain.get_weights())
    batch = images((16, 16, 1))
    assert mixed(batch).dtype == tf.float32
    np.testing.assert_allclose(tf.exp(mixed(batch)), tf.exp(plain(batch)), atol=0.05)
