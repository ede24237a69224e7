"""How much of a user's model is trained."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models.classifiers.base import Classifier
from tests.support.examples import some_images, some_labels
from tests.support.learners import reseed

SHAPE = (8, 8, 3)
IMAGES, LABELS = some_images(16, SHAPE), some_labels(16)
PIXELS = tf.constant(IMAGES, tf.float32) / 255.0
Layers = keras.layers


def model() -> keras.Model:
    """Convolution, BatchNorm and Dropout in a model within, then a dense layer and another norm."""
    inner = keras.Sequential(
        [
            keras.Input(SHAPE), Layers.Conv2D(4, 3, name="conv"), Layers.Dropout(0.5),
            Layers.BatchNormalization(name="norm"), Layers.Flatten(),
        ]
    )  # fmt: skip
    return keras.Sequential(
        [keras.Input(SHAPE), inner, Layers.Dense(6, "tanh", name="dense"),
         Layers.BatchNormalization(name="last")]
    )  # fmt: skip


def train(learner: Plain, strategy: tf.distribute.Strategy, batch: int = 8) -> set[str]:
    """Names of the layers of the trunk whose weights two steps have changed."""
    trunk, head = learner.classifier.trunk.weights, learner.classifier.head.weights
    before = [weight.numpy() for weight in (*trunk, *head)]
    Trainer(learner, learner.space, strategy, batch).train(IMAGES, LABELS, (1, 2), 2)
    moved = [
        not np.array_equal(old, weight.numpy())
        for old, weight in zip(before, (*trunk, *head), strict=True)
    ]
    assert all(moved[len(trunk) :])
    pairs = zip(trunk, moved, strict=False)
    return {weight.path.split("/")[-2] for weight, has_moved in pairs if has_moved}


def fitted(fine_tune: str | int, strategy: tf.distribute.Strategy) -> tuple[Plain, set[str]]:
    learner = Plain(Classifier.from_model(model(), 10, fine_tune=fine_tune))
    learner.compile()
    reseed(learner)
    return learner, train(learner, strategy)


@pytest.mark.parametrize(
    ("fine_tune", "trained"),
    [
        ("all", {"conv", "norm", "dense", "last"}),
        ("head", set()),
        (1, {"last"}),
        (2, {"dense", "last"}),
        (3, {"norm", "dense", "last"}),
        ("4", {"conv", "norm", "dense", "last"}),
    ],
)
def test_what_is_not_to_be_trained_stays_moving_statistics_included(
    fine_tune: str | int, trained: set[str], one_device: tf.distribute.Strategy
) -> None:
    learner, moved = fitted(fine_tune, one_device)
    assert moved == trained
    assert len(learner.trained_variables("classifier")) == 2 * len(trained) + 2


def test_under_the_head_alone_the_trunk_runs_as_at_inference() -> None:
    classifier = Classifier.from_model(model(), 10, fine_tune="head")
    np.testing.assert_array_equal(
        classifier.features(PIXELS, training=True), classifier.features(PIXELS)
    )
    assert not classifier.trunk_variables
    whole = Classifier.from_model(model(), 10)
    assert not np.array_equal(whole.features(PIXELS, training=True), whole.features(PIXELS))


def test_saved_and_grown_it_trains_the_same(
    tmp_path: Path, one_device: tf.distribute.Strategy
) -> None:
    learner, _ = fitted(2, one_device)
    learner.classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(PIXELS), learner.classifier(PIXELS))
    assert loaded.fine_tune == 2
    for one, other in zip(loaded.trunk_variables, learner.classifier.trunk_variables, strict=True):
        assert one.path.split("/")[-2:] == other.path.split("/")[-2:]
    grown = with_classes(learner, 12)
    assert len(grown.classifier.trunk_variables) == 4
    grown.fit(IMAGES, LABELS, verbose=0, shuffle=False)


@pytest.mark.parametrize("fine_tune", ["none", 0, -1, "1.5"])
def test_what_is_no_choice_is_refused(fine_tune: str | int) -> None:
    with pytest.raises(ConfigError, match=r"--fine-tune is .*; expected all, head, or the number"):
        Classifier.from_model(model(), 10, fine_tune=fine_tune)


def test_more_layers_than_there_are_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"--fine-tune is 5, but model .* has 4 layers that have"):
        Classifier.from_model(model(), 10, fine_tune=5)


def test_two_replicas_train_a_foreign_batch_norm_as_one(
    one_device: tf.distribute.Strategy,
    mirrored: tf.distribute.Strategy,
) -> None:
    inner = keras.Sequential([keras.Input(SHAPE), Layers.Conv2D(4, 3), Layers.BatchNormalization()])
    plain = keras.Sequential(
        [keras.Input(SHAPE), inner, Layers.Flatten(), Layers.Dense(6, "tanh"),
         Layers.BatchNormalization()]
    )  # fmt: skip
    after = []
    for strategy in (one_device, mirrored):
        with strategy.scope():
            learner = Plain(Classifier.from_model(plain, 10, dropout=0.0))
            learner.compile(keras.optimizers.SGD(0.01))
        reseed(learner)
        train(learner, strategy)
        after.append([weight.numpy() for weight in learner.classifier.weights])
    for one, two in zip(*after, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_in_bfloat16_the_trunk_computes_in_it_and_variables_stay() -> None:
    given = model()
    mixed = Classifier.from_model(given, 10, dtype="mixed_bfloat16")
    assert mixed.trunk.network(PIXELS).dtype == mixed.features(PIXELS).dtype == tf.bfloat16
    assert {v.dtype for v in mixed.trainable_variables} == {"float32"}
    assert mixed(PIXELS).dtype == tf.float32
    np.testing.assert_allclose(tf.cast(mixed.features(PIXELS), tf.float32), given(PIXELS), atol=0.1)


def test_an_adapted_normalization_is_copied_with_what_it_knows() -> None:
    norm = Layers.Normalization()
    norm.adapt(IMAGES.astype("float32"))
    given = keras.Sequential([keras.Input(SHAPE), norm, Layers.Flatten()])
    classifier = Classifier.from_model(given, 10, pixel_range=(0, 255))
    expected = given(tf.constant(IMAGES, tf.float32))
    np.testing.assert_allclose(classifier.features(IMAGES), expected, atol=1e-4)
    twin = type(classifier).from_config(classifier.get_config())  # as an export makes
    for old, new in zip(classifier.weights, twin.weights, strict=True):
        new.assign(old)
    np.testing.assert_allclose(twin.features(IMAGES), expected, atol=1e-4)


def test_grey_images_and_open_sides() -> None:
    given = keras.Sequential(
        [keras.Input((None, None, 3)), Layers.Conv2D(4, 3), Layers.GlobalAveragePooling2D()]
    )
    classifier = Classifier.from_model(given, 10, shape=(9, 7, 1))
    grey = PIXELS[:, :, :7, :1]
    grey = tf.concat([grey, grey[:, :1]], 1)
    np.testing.assert_allclose(classifier.features(grey), given(tf.repeat(grey, 3, -1)), atol=1e-6)


def test_images_that_are_too_small_are_refused() -> None:
    given = keras.Sequential(
        [keras.Input((None, None, 3)), Layers.Conv2D(4, 9), Layers.GlobalAveragePooling2D()]
    )
    with pytest.raises(ConfigError, match=r"cannot take examples of shape \(8, 8, 3\) \(Computed"):
        Classifier.from_model(given, 10, shape=SHAPE)


def test_a_fingerprint_does_not_depend_on_the_seeds_of_copies() -> None:
    given = model()
    one, other = (Classifier.from_model(given, 10).trunk for _ in range(2))
    assert one.fingerprint() == other.fingerprint()
    other.network.layers[-1].gamma.assign_add(np.ones(6))
    assert one.fingerprint() != other.fingerprint()
