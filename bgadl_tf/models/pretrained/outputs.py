"""Which classes a trained network tells apart, and by which dense layer.

Networks end in many ways that mean the same: in a softmax or in its logits, as an activation or as
a layer; two classes also in one unit under a sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bgadl_tf.core.errors import ConfigError

NONE, SOFTMAX, SIGMOID = "linear", "softmax", "sigmoid"


def ending_in_logits(model: keras.Model) -> tuple[keras.Model, int]:
    """The same classifier, its last layer dense and without an activation.

    Args:
        model: With one input; ends in a dense layer, with a softmax, a sigmoid or neither behind
            it. It shares its other layers with what is returned, and stays as it is.

    Returns:
        The network, from examples to logits ``[B, C]`` whose softmax are the probabilities, and C.
        One unit under a sigmoid becomes two classes: what it says no to, then what it says yes to.

    Raises:
        ConfigError: It does not end so, or what it tells apart are not the classes of a softmax.
    """
    if getattr(model, "outputs", None) is None:
        raise ConfigError(
            f"model {model.name!r} is a subclassed model, whose layers cannot be told apart; "
            "expected a functional or sequential one"
        )
    for what in ("inputs", "outputs"):
        if len(tensors := getattr(model, what)) != 1:
            raise ConfigError(
                f"model {model.name!r} has {len(tensors)} {what}; expected one: save "
                "keras.Model(input, output) of the part that classifies"
            )
    dense, activation = _last_dense(model)
    if len(model.output_shape) != 2:
        raise ConfigError(
            f"model {model.name!r} gives {model.output_shape}; expected one row of classes an "
            "image, (None, C)"
        )
    if activation == SIGMOID and dense.units > 1:
        raise ConfigError(
            f"layer {dense.name!r} of model {model.name!r} has {dense.units} units under a "
            "sigmoid, which any number of classes may share; expected a softmax, or one unit"
        )
    if activation != SIGMOID and dense.units < 2:
        raise ConfigError(
            f"layer {dense.name!r} of model {model.name!r} has one unit without a sigmoid, which "
            "is no probability; if it is the logit of two classes, put "
            "keras.layers.Activation('sigmoid') behind it"
        )
    binary = activation == SIGMOID
    classes = 2 if binary else int(dense.units)
    logits = keras.layers.Dense(classes, name=dense.name, dtype=dense.dtype_policy)
    ending = keras.Model(model.inputs[0], logits(dense.input), name=model.name)
    widen: Callable[[Any], Any] = _beside_zero if binary else keras.ops.convert_to_tensor
    logits.kernel.assign(widen(dense.kernel))
    if dense.use_bias:
        logits.bias.assign(widen(dense.bias))
    return ending, classes


def _beside_zero(weights: Any) -> Any:
    """Weights ``[..., 1]`` of a logit z as ``[..., 2]``: softmax(0, z) is what a sigmoid gives."""
    return keras.ops.concatenate([keras.ops.zeros_like(weights), weights], axis=-1)


def _last_dense(model: keras.Model) -> tuple[keras.layers.Dense, str]:
    """The dense layer that a model ends in, and the activation of what it gives."""
    found = []
    layer = _maker_of(model.outputs[0])
    while (activation := _activation_of(layer)) is not None:
        if activation != NONE:
            found.append(activation)
        if isinstance(layer, keras.layers.Dense):
            if len(found) > 1:
                raise ConfigError(
                    f"model {model.name!r} ends in {' and '.join(found)}; expected one of them"
                )
            return layer, found[0] if found else NONE
        layer = _maker_of(layer.input)
    what = type(layer).__name__
    if hasattr(layer, "activation"):
        what += f" with activation {getattr(layer.activation, '__name__', '?')}"
    if isinstance(layer, keras.Model):
        what += ", a model within it: save one whose layers are all its own"
    raise ConfigError(
        f"model {model.name!r} ends in layer {getattr(layer, 'name', '?')!r} ({what}); expected a "
        "dense layer of a unit a class, with a softmax or without, or of one unit with a sigmoid"
    )


def _maker_of(tensor: Any) -> Any:
    return tensor._keras_history.operation


def _activation_of(layer: Any) -> str | None:
    """Of what a layer does; None where it does something else."""
    if isinstance(layer, keras.layers.Softmax):
        return SOFTMAX if layer.axis in (-1, 1) else None
    if not isinstance(layer, keras.layers.Dense | keras.layers.Activation):
        return None
    name = getattr(layer.activation, "__name__", "")
    return name if name in (NONE, SOFTMAX, SIGMOID) else None
