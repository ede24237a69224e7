"""Which classes a network tells apart, however it ends."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained.outputs import ending_in_logits
from tests.support.examples import some_vectors

Layers = keras.layers
VECTORS = some_vectors(6)


def ending_in(*layers: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((12,)), Layers.Dense(5, activation="relu"), *layers])


def functional() -> keras.Model:
    inputs = keras.Input((12,))
    hidden = Layers.Dense(5, activation="tanh")(inputs)
    return keras.Model(inputs, Layers.Softmax()(Layers.Dense(3)(hidden)))


@pytest.mark.parametrize(
    "model",
    [
        ending_in(Layers.Dense(3, activation="softmax")),
        ending_in(Layers.Dense(3), Layers.Softmax()),
        ending_in(Layers.Dense(3), Layers.Activation("softmax")),
        ending_in(Layers.Dense(3, use_bias=False), Layers.Activation("softmax", dtype="float32")),
        functional(),
    ],
    ids=["activation", "softmax", "activation layer", "no bias", "functional"],
)
def test_probabilities_of_a_softmax(model: keras.Model) -> None:
    _draw_biases(model)
    before = model(VECTORS)
    ending, classes = ending_in_logits(model)
    assert classes == 3
    np.testing.assert_allclose(keras.ops.softmax(ending(VECTORS)), before, atol=1e-6)
    assert isinstance(ending.layers[-1], Layers.Dense)
    assert ending.layers[-1].activation is keras.activations.linear


def test_logits_stay_as_they_are() -> None:
    model = ending_in(Layers.Dense(3))
    _draw_biases(model)
    ending, classes = ending_in_logits(model)
    assert classes == 3
    np.testing.assert_array_equal(ending(VECTORS), model(VECTORS))


@pytest.mark.parametrize(
    "layers",
    [
        [Layers.Dense(1, activation="sigmoid")],
        [Layers.Dense(1), Layers.Activation("sigmoid")],
        [Layers.Dense(1, activation="sigmoid", use_bias=False)],
    ],
    ids=["activation", "activation layer", "no bias"],
)
def test_one_unit_under_a_sigmoid_is_two_classes(layers: list[keras.layers.Layer]) -> None:
    model = ending_in(*layers)
    _draw_biases(model)
    ending, classes = ending_in_logits(model)
    yes = np.asarray(model(VECTORS))[:, 0]
    assert classes == 2
    assert yes.std() > 0.01
    probabilities = keras.ops.softmax(ending(VECTORS))
    np.testing.assert_allclose(probabilities, np.stack([1 - yes, yes], 1), atol=1e-6)


def _draw_biases(model: keras.Model) -> None:
    """Otherwise than Keras, which begins with zeros that a lost bias would equal."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])


def two(what: str) -> keras.Model:
    inputs = [keras.Input((12,)), keras.Input((12,))]
    dense = Layers.Dense(3)
    if what == "inputs":
        return keras.Model(inputs, dense(Layers.Add()(inputs)))
    return keras.Model(inputs[0], [dense(inputs[0]), Layers.Dense(4)(inputs[0])])


def over_places() -> keras.Model:
    return keras.Sequential([keras.Input((4, 12)), Layers.Dense(3, activation="softmax")])


class Own(keras.Model):
    """A subclassed model."""

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        return inputs


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ending_in(Layers.Dense(1)), "one unit without a sigmoid.*put keras.layers.Activation"),
        (ending_in(Layers.Dense(3, activation="sigmoid")), "3 units under a sigmoid"),
        (ending_in(Layers.Dense(1, activation="softmax")), "has one unit without a sigmoid"),
        (ending_in(Layers.Dense(3, activation="relu")), r"\(Dense with activation relu\)"),
        (ending_in(Layers.Dense(3, activation="softmax"), Layers.Softmax()), "softmax and softmax"),
        (ending_in(Layers.Dense(3), Layers.LayerNormalization()), "LayerNormalization"),
        (ending_in(keras.Sequential([keras.Input((5,)), Layers.Dense(3)])), "a model within it"),
        (two("inputs"), "has 2 inputs; expected one"),
        (two("outputs"), "has 2 outputs; expected one"),
        (over_places(), r"gives \(None, 4, 3\); expected"),
        (Own(), "is a subclassed model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_ends_otherwise_is_refused(model: keras.Model, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ending_in_logits(model)
