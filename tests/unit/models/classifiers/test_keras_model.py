"""Classifiers made of a user's Keras model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.classifiers.keras_model import KerasModelClassifier
from bgadl_tf.models.pretrained.pixels import Pixels
from tests.support.examples import some_images, some_vectors
from tests.support.learners import reseed
from tests.support.scoring import bald_of

SHAPE = (8, 8, 3)
IMAGES = some_images(5, SHAPE)
PIXELS = tf.constant(IMAGES, tf.float32) / 255.0
Layers = keras.layers
Make = Callable[[], keras.Model]


def trunk() -> keras.Model:
    """A functional model of features ``[B, 6]``."""
    inputs = keras.Input(SHAPE)
    hidden = Layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(inputs)
    hidden = Layers.Flatten(name="flat")(hidden)
    return keras.Model(inputs, Layers.Dense(6, activation="tanh", name="dense")(hidden))


def functional() -> keras.Model:
    features = trunk()
    outputs = Layers.Dense(10, activation="softmax", name="scores")(features.output)
    return keras.Model(features.input, outputs)


def sequential() -> keras.Model:
    return keras.Sequential([*trunk().layers, Layers.Dense(10, activation="softmax")])


def with_a_softmax_layer() -> keras.Model:
    return keras.Sequential([keras.Input(SHAPE), Layers.Flatten(), Layers.Dense(10),
                             Layers.Softmax()])  # fmt: skip


def with_an_activation_layer() -> keras.Model:
    flat = [keras.Input(SHAPE), Layers.Flatten()]
    return keras.Sequential([*flat, Layers.Dense(10), Layers.Activation("softmax")])


@keras.saving.register_keras_serializable("tests")
class Own(keras.Model):
    """A subclassed model of features ``[B, 7]``."""

    def __init__(self, **kw: object) -> None:
        super().__init__(**kw)
        self.flatten, self.dense = Layers.Flatten(), Layers.Dense(7, activation="relu")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.dense.build((None, int(np.prod(input_shape[1:]))))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.dense(self.flatten(inputs))


@pytest.mark.parametrize(
    "make", [functional, sequential, with_a_softmax_layer, with_an_activation_layer]
)
def test_a_model_that_classifies_goes_on_with_what_it_knows(
    make: Make,
) -> None:
    model = make()
    classifier = Classifier.from_model(model, 10)
    np.testing.assert_allclose(tf.exp(classifier(PIXELS)), model(PIXELS), rtol=1e-5, atol=1e-6)
    assert classifier.drawn_layers() == []
    assert classifier.is_stochastic
    learner = Plain(classifier)
    learner.compile()
    reseed(learner)  # nothing is left to be drawn
    np.testing.assert_allclose(tf.exp(classifier(PIXELS)), model(PIXELS), rtol=1e-5, atol=1e-6)


def test_a_last_layer_without_bias_has_none_in_the_head() -> None:
    model = keras.Sequential([keras.Input((12,)), Layers.Dense(10, use_bias=False)])
    vectors = some_vectors(4)
    logits = model(vectors)
    classifier = Classifier.from_model(model, 10)
    np.testing.assert_allclose(classifier(vectors), tf.nn.log_softmax(logits), rtol=1e-5, atol=1e-5)


def test_with_hidden_layers_the_head_is_drawn_whole() -> None:
    classifier = Classifier.from_model(functional(), 10, hidden=(5, 4))
    assert [stage.units for stage in classifier.head.stages] == [5, 4, 10]
    assert classifier.drawn_layers() == [classifier.head]
    assert classifier.features(PIXELS).shape == (5, 6)


def test_a_model_of_features_gets_a_head() -> None:
    model = trunk()
    classifier = Classifier.from_model(model, 10, dropout=0.25)
    np.testing.assert_array_equal(classifier.features(PIXELS), model(PIXELS))
    assert classifier.head.rates == (0.25,)
    assert classifier(PIXELS).shape == (5, 10)
    assert classifier.drawn_layers() == [classifier.head]


def test_a_model_is_cut_at_a_layer() -> None:
    model = functional()
    classifier = Classifier.from_model(model, 10, cut="flat")
    assert classifier.features(PIXELS).shape == (5, 36)
    assert classifier.drawn_layers() == [classifier.head]


def test_a_feature_map_is_averaged_over_its_places() -> None:
    model = functional()
    classifier = Classifier.from_model(model, 10, cut="conv")
    maps = model.get_layer("conv")(PIXELS)
    np.testing.assert_allclose(
        classifier.features(PIXELS), tf.reduce_mean(maps, (1, 2)), rtol=1e-5, atol=1e-6
    )


def test_vectors_are_taken_as_they_are() -> None:
    model = keras.Sequential([keras.Input((12,)), Layers.Dense(6)])
    vectors = some_vectors(4)
    classifier = Classifier.from_model(model, 10, pixel_range=(0, 255))
    np.testing.assert_array_equal(classifier.features(tf.constant(vectors)), model(vectors))
    assert classifier.example_shape == (12,)


def test_a_subclassed_model_of_features() -> None:
    model = own()
    classifier = Classifier.from_model(model, 10)
    np.testing.assert_array_equal(classifier.features(PIXELS), model(PIXELS))
    assert classifier.example_shape == SHAPE


@pytest.mark.parametrize("pixel_range", [(0.0, 255.0), (-1.0, 1.0), (0.0, 1.0)])
def test_the_trunk_sees_the_pixels_that_it_expects(pixel_range: tuple[float, float]) -> None:
    flat = keras.Sequential([keras.Input(SHAPE), Layers.Flatten()])
    classifier = Classifier.from_model(flat, 10, pixel_range=pixel_range)
    low, high = pixel_range
    expected = low + PIXELS.numpy().reshape(5, -1) * (high - low)
    np.testing.assert_allclose(classifier.features(PIXELS), expected, rtol=1e-6, atol=1e-6)


def two_inputs() -> keras.Model:
    inputs = [keras.Input((3,)), keras.Input((3,))]
    return keras.Model(inputs, Layers.Concatenate()(inputs))


def of_any_size() -> keras.Model:
    return keras.Sequential([keras.Input((None, None, 3)), Layers.GlobalAveragePooling2D()])


def two_outputs() -> keras.Model:
    inputs = keras.Input((3,))
    return keras.Model(inputs, [Layers.Dense(4)(inputs), Layers.Dense(5)(inputs)])


def unbuilt() -> keras.Model:
    return keras.Sequential([Layers.Flatten(), Layers.Dense(4)])


def of_sequences() -> keras.Model:
    return keras.Sequential([keras.Input((7, 5)), Layers.Flatten()])


def nothing_but_scores() -> keras.Model:
    features = trunk()
    hidden = Layers.Dense(10)(features.output)
    return keras.Model(features.input, Layers.LayerNormalization()(hidden))


@pytest.mark.parametrize(
    ("make", "cut", "message"),
    [
        (two_inputs, None, r"has 2 inputs; expected one"),
        (two_outputs, None, r"has 2 outputs; expected one, or .*cut="),
        (of_any_size, None, r"shape \(None, None, None, 3\); expected \(None, H, W, D\) or"),
        (of_sequences, None, r"shape \(None, 7, 5\); expected \(None, H, W, D\) or"),
        (unbuilt, None, r"is not built; give it a keras\.Input, or call it once"),
        (functional, "fat", r"cut is 'fat', which is no layer of .*; its last ones: .*flat"),
        (nothing_but_scores, None, r"ends in 10 values.* 10 classes.*cut='flatten'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(make: Make, cut: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Classifier.from_model(make(), 10, cut=cut)


def test_a_subclassed_model_cannot_be_cut() -> None:
    with pytest.raises(ConfigError, match="none: it is a subclassed model"):
        Classifier.from_model(own(), 10, cut="dense")


def own() -> keras.Model:
    model = Own()
    model(PIXELS)
    return model


@pytest.mark.parametrize("make", [functional, trunk, own])
def test_saved_and_loaded_it_computes_the_same(make: Make, tmp_path: Path) -> None:
    classifier = Classifier.from_model(
        make(), 10, dropout=0.3, hidden=() if make is functional else (5,), pixel_range=(-1, 1)
    )
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, KerasModelClassifier)
    np.testing.assert_array_equal(loaded(PIXELS), classifier(PIXELS))
    for name in ("dropout", "hidden", "given_stages", "example_shape", "classes", "fine_tune"):
        assert getattr(loaded, name) == getattr(classifier, name), name
    assert loaded.trunk.pixels == classifier.trunk.pixels == Pixels(-1, 1)
    assert loaded.head.rates == classifier.head.rates


def test_passes_differ_with_dropout_and_without_it_bald_is_refused(
    one_device: tf.distribute.Strategy,
) -> None:
    learner = Plain(Classifier.from_model(functional(), 10))
    assert (bald_of(Scorer(learner, one_device, 10), IMAGES, 3) > 0).all()
    check_needs("bald", create("bald"), learner)
    deterministic = Plain(Classifier.from_model(functional(), 10, dropout=0.0))
    for name in ("bald", "power:bald", "mean_std"):
        with pytest.raises(ConfigError, match=rf"'{name}' needs MCDropout .*possible: .*margin"):
            check_needs(name, create(name), deterministic)
    check_needs("margin", create("margin"), deterministic)


def test_the_model_itself_stays_as_it_is() -> None:
    model = functional()
    before = [weight.copy() for weight in model.get_weights()]
    learner = Plain(Classifier.from_model(model, classes=10))
    learner.compile(optimizer=keras.optimizers.SGD(1.0))
    learner.fit(IMAGES, np.arange(5), verbose=0, shuffle=False)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_a_trunk_may_end_in_an_activation() -> None:
    # As EfficientNet and ResNet without their tops do.
    inputs = keras.Input(SHAPE)
    outputs = Layers.Activation("relu")(Layers.Conv2D(7, 3)(inputs))
    classifier = Classifier.from_model(keras.Model(inputs, outputs), classes=10)
    assert classifier.features(PIXELS).shape == (5, 7)


def ends_in(units: int, activation: str) -> keras.Model:
    return keras.Sequential([keras.Input(SHAPE), Layers.Flatten(), Layers.Dense(units, activation)])


@pytest.mark.parametrize(("units", "activation"), [(1000, "softmax"), (1, "sigmoid")])
def test_probabilities_of_other_classes_are_no_features(units: int, activation: str) -> None:
    with pytest.raises(ConfigError, match=f"ends in {units} probabilities.*2 classes.*cut="):
        Classifier.from_model(ends_in(units, activation), classes=2)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_an_activation_of_the_last_layer_is_never_lost(activation: str) -> None:
    model = ends_in(10, activation)
    name = model.layers[-1].name
    with pytest.raises(
        ConfigError, match=rf"'{name}' .* 10 classes, .* is {activation}, which .*cut='{name}'"
    ):
        Classifier.from_model(model, 10)
    # It gives features then.
    features = Classifier.from_model(model, 10, cut=name).features(PIXELS)
    np.testing.assert_allclose(features, model(PIXELS), atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "softmax"])
def test_a_softmax_is_behind_logits_alone(activation: str) -> None:
    model = keras.Sequential(
        [keras.Input(SHAPE), *ends_in(10, activation).layers, Layers.Softmax()]
    )
    with pytest.raises(ConfigError, match=rf"is {activation} with a softmax behind it, which"):
        Classifier.from_model(model, 10)


@pytest.mark.parametrize("activation", ["softmax", "log_softmax", "linear"])
def test_a_last_layer_that_classifies_is_taken(activation: str) -> None:
    model = ends_in(10, activation)
    given = model(PIXELS)
    expected = given if activation == "softmax" else tf.nn.softmax(given)
    found = tf.exp(Classifier.from_model(model, 10)(PIXELS))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("within", [False, True])
def test_a_model_that_rescales_pixels_needs_their_range(within: bool) -> None:
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, Layers.Flatten()(Layers.Rescaling(1 / 255)(inputs)))
    if within:
        model = keras.Sequential([keras.Input(SHAPE), model])
    with pytest.raises(ConfigError, match=r"'rescaling.*rescales pixels itself.*pixel_range"):
        Classifier.from_model(model, classes=10)
    classifier = Classifier.from_model(model, classes=10, pixel_range=(0, 255))
    expected = np.reshape(PIXELS, (5, -1))
    np.testing.assert_allclose(classifier.features(PIXELS), expected, atol=1e-6)


def test_a_classifier_takes_integers_as_pixels() -> None:
    classifier = Classifier.from_model(functional(), classes=10)
    np.testing.assert_allclose(classifier(IMAGES), classifier(PIXELS), atol=1e-6)
    np.testing.assert_allclose(classifier.predict(IMAGES, verbose=0), classifier(PIXELS), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 1}, "1 classes apart; expected 2 or more"),
        ({"classes": 3, "dropout": 1.5}, "rate is 1.5; expected one from 0 to below 1"),
        ({"classes": 3, "dropout": -0.1}, "rate is -0.1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(arguments: dict[str, Any], message: str) -> None:
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="relu")])
    with pytest.raises(ConfigError, match=message):
        Classifier.from_model(model, **arguments)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model is a str; expected a keras\.Model"):
        Classifier.from_model("cats.keras", 3)
