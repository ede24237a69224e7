"""A model's own Dropout layers as the stochastic part of a classifier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.classifiers.base import Classifier
from tests.support.examples import some_images

SHAPE = (8, 8, 3)
PIXELS = tf.constant(some_images(5, SHAPE), tf.float32) / 255.0
Layers = keras.layers
ADVICE = r"leave own_dropout \(--own-dropout\) out"


def model_of(*layers: keras.layers.Layer) -> keras.Model:
    """A convolution, then these layers."""
    return keras.Sequential([keras.Input(SHAPE), Layers.Conv2D(6, 3, activation="tanh"), *layers])


def like_vgg() -> keras.Model:
    return model_of(
        Layers.Flatten(), Layers.Dense(7, "gelu"), Layers.Dropout(0.4), Layers.Dense(8, "tanh"),
        Layers.Dropout(0.2), Layers.Dense(4, "softmax"),
    )  # fmt: skip


def with_layers_for_activations() -> keras.Model:
    return model_of(
        Layers.GlobalAveragePooling2D(), Layers.BatchNormalization(), Layers.Dropout(0.3),
        Layers.Dense(8, use_bias=False), Layers.ReLU(6), Layers.Dense(5), Layers.Activation("silu"),
        Layers.Dropout(0.5), Layers.Dropout(0.0), Layers.Dropout(0.2), Layers.Dense(4),
        Layers.Softmax(),
    )  # fmt: skip


def of_models_within() -> keras.Model:
    trunk = keras.Sequential([keras.Input(SHAPE), Layers.Dropout(0.1), Layers.Flatten()])
    top = keras.Sequential([keras.Input((192,)), Layers.Dropout(0.5), Layers.Dense(4, "softmax")])
    return keras.Sequential([keras.Input(SHAPE), trunk, top])


def by_hand(classifier: Classifier, features: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
    """Probabilities of one pass, from weights, masks ``[width]`` and rates alone."""
    hidden = features
    for mask, stage in zip(masks, classifier.head.stages, strict=True):
        hidden = stage.activation(hidden * mask @ stage.kernel.numpy() + stage.bias.numpy())
    return np.asarray(tf.nn.softmax(hidden))


@pytest.mark.parametrize(
    ("make", "rates"),
    [
        (like_vgg, (0.4, 0.2)),
        (with_layers_for_activations, (0.3, 0.0, 1 - 0.5 * 0.8)),
        (of_models_within, (0.5,)),
    ],
)
def test_it_computes_what_the_model_does_and_passes_under_given_masks(
    make: Callable[[], keras.Model], rates: tuple[float, ...]
) -> None:
    model = make()
    classifier = Classifier.from_model(model, 4, own_dropout=True)
    assert classifier.head.rates == pytest.approx(rates)
    assert classifier.drawn_layers() == []
    np.testing.assert_allclose(tf.exp(classifier(PIXELS)), model(PIXELS), rtol=1e-5, atol=1e-6)
    features = classifier.features(PIXELS)
    masks = classifier.head.mc_masks(tf.constant((1, 2)), 6)
    passes = tf.exp(classifier.head.mc_log_probs(features, masks))
    for k in range(6):
        own = [np.asarray(mask[k]) for mask in masks]
        for mask, rate in zip(own, rates, strict=True):
            np.testing.assert_allclose(mask[mask > 0], 1 / (1 - rate), rtol=1e-6)
        expected = by_hand(classifier, np.asarray(features), own)
        np.testing.assert_allclose(passes[k], expected, rtol=1e-4, atol=1e-5)
    assert float(tf.reduce_max(tf.math.reduce_std(passes, 0))) > 0


def test_what_is_before_the_first_dropout_is_computed_once() -> None:
    classifier = Classifier.from_model(like_vgg(), 4, own_dropout=True)
    assert classifier.features(PIXELS).shape == (5, 7)
    assert classifier.head.hidden == (8,)


def test_for_other_classes_the_last_layer_is_drawn_and_the_others_stay() -> None:
    model = like_vgg()
    classifier = Classifier.from_model(model, 3, own_dropout=True)
    last = classifier.head.stages[-1]
    assert classifier.drawn_layers() == [last]
    assert last.units == 3
    np.testing.assert_array_equal(classifier.head.stages[0].kernel, model.layers[-3].kernel)


def test_behind_features_a_last_layer_is_drawn() -> None:
    layers = [Layers.Flatten(), Layers.Dropout(0.3), Layers.Dense(9, "relu"), Layers.Dropout(0.2)]
    classifier = Classifier.from_model(model_of(*layers), 4, own_dropout=True)
    assert classifier.head.rates == pytest.approx((0.3, 0.2))
    assert classifier.head.hidden == (9,)
    assert classifier.drawn_layers() == [classifier.head.stages[-1]]
    only = Classifier.from_model(model_of(*layers[:2]), 4, own_dropout=True)
    assert only.drawn_layers() == [only.head]


def test_saved_and_loaded_it_computes_the_same(tmp_path: Path) -> None:
    classifier = Classifier.from_model(with_layers_for_activations(), 4, own_dropout=True)
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(PIXELS), classifier(PIXELS))
    assert loaded.head.rates == classifier.head.rates
    assert loaded.drawn_layers() == []


def nothing_random() -> keras.Model:
    return model_of(Layers.Flatten(), Layers.Dense(4))


def within_the_network() -> keras.Model:
    return model_of(Layers.Dropout(0.5, name="early"), Layers.Flatten(), Layers.Dense(4))


def spatial() -> keras.Model:
    dropped = Layers.SpatialDropout2D(0.5, name="maps")
    return model_of(dropped, Layers.GlobalAveragePooling2D(), Layers.Dense(4))


def normalised_behind() -> keras.Model:
    return model_of(
        Layers.Flatten(), Layers.Dropout(0.5, name="drop"), Layers.Dense(8),
        Layers.BatchNormalization(name="norm"), Layers.Dropout(0.5), Layers.Dense(4),
    )  # fmt: skip


def with_a_branch() -> keras.Model:
    trunk = model_of(Layers.Flatten(), Layers.Dense(4))
    dropped = Layers.Dropout(0.5, name="drop")(trunk.outputs[0])
    added = Layers.Add(name="sum")([trunk.outputs[0], Layers.Dense(4)(dropped)])
    return keras.Model(trunk.inputs[0], added)


def of_noise() -> keras.Model:
    return model_of(Layers.Flatten(), Layers.AlphaDropout(0.5, name="alpha"), Layers.Dense(4))


def without_pooling() -> keras.Model:
    return model_of(Layers.Dropout(0.5, name="drop"), Layers.Dense(4))


def activated_late() -> keras.Model:
    return model_of(Layers.Flatten(), Layers.Dropout(0.5), Layers.ReLU(name="late"),
                    Layers.Dense(4))  # fmt: skip


def activated_twice() -> keras.Model:
    return model_of(
        Layers.Flatten(), Layers.Dropout(0.5), Layers.Dense(5, "relu", name="one"),
        Layers.Activation("tanh", name="two"), Layers.Dense(4),
    )  # fmt: skip


def with_attention() -> keras.Model:
    return model_of(Layers.Flatten(), Layers.Dropout(0.5), Layers.Dense(6, "softmax", name="soft"),
                    Layers.Dense(4))  # fmt: skip


def of_independent_labels() -> keras.Model:
    return model_of(Layers.Flatten(), Layers.Dropout(0.5), Layers.Dense(4, "sigmoid", name="any"))


def with_a_bounded_end() -> keras.Model:
    return model_of(Layers.Flatten(), Layers.Dropout(0.5), Layers.Dense(4, "tanh", name="end"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing_random, rf"has no Dropout layer; {ADVICE}"),
        (within_the_network, r"layer 'early', a Dropout, before its last pooling only: .*K passes"),
        (spatial, r"layer 'maps', a SpatialDropout2D, before its last pooling only: .*K passes"),
        (normalised_behind, r"has layer 'norm' \(BatchNormalization\) between Dropout 'drop'"),
        (with_a_branch, r"has layer 'sum' \(Add\) between Dropout 'drop' and its end"),
        (of_noise, r"has layer 'alpha', a AlphaDropout, behind its last pooling; only Dropout"),
        (
            without_pooling,
            r"layer 'drop' of model .* of shape \(None, 6, 6, 6\); expected features",
        ),
        (activated_late, r"'late' stands between a Dropout and the next Dense"),
        (activated_twice, r"'two' is a second activation behind 'one'"),
        (with_attention, r"activation of layer 'soft' is not elementwise"),
        (of_independent_labels, r"layer 'any' gives 4 sigmoids"),
        (with_a_bounded_end, r"'end' has a unit for each of the 4 classes, .*is tanh, which is no"),
    ],
)
def test_what_cannot_be_made_bayesian_says_which_layer_and_why(
    make: Callable[[], keras.Model], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Classifier.from_model(make(), 4, own_dropout=True)


def test_settings_of_our_head_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"dropout and hidden would set them"):
        Classifier.from_model(like_vgg(), 4, own_dropout=True, dropout=0.3, hidden=(5,))
