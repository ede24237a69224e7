"""A chain of layers as the stages of a head: a dropout rate, a dense layer, an activation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError

Layers = keras.layers

_LINKS = (Layers.Dropout, Layers.Dense, Layers.Activation, Layers.ReLU, Layers.Softmax)
"""What a stochastic head can be made of."""

Activation = Callable[[tf.Tensor], tf.Tensor]


@dataclass
class Stage:
    """A dense layer, the dropout rate before it and the activation behind it."""

    dense: keras.layers.Dense
    rate: float
    activation: Activation


def stages_of(layers: Sequence[keras.layers.Layer]) -> tuple[list[Stage], float]:
    """Dense layers with the rate before each and the activation behind it; the rate left over."""
    stages: list[Stage] = []
    kept = 1.0  # two Dropouts in a row drop as one does whose share of kept units is the product
    for layer in layers:
        if is_dropout(layer):
            kept *= 1.0 - layer.rate
        elif isinstance(layer, Layers.Dense):
            stages.append(Stage(layer, 1.0 - kept, layer.activation))
            kept = 1.0
        elif not isinstance(layer, Layers.Dropout):  # of rate 0
            activation = _activation(layer)
            if not stages or kept < 1.0:
                raise ConfigError(
                    f"own_dropout: activation {layer.name!r} stands between a Dropout and the next "
                    "Dense layer; put it before the Dropout"
                )
            if stages[-1].activation is not keras.activations.linear:
                raise ConfigError(
                    f"own_dropout: layer {layer.name!r} is a second activation behind "
                    f"{stages[-1].dense.name!r}; expected one"
                )
            stages[-1].activation = activation
    for number, stage in enumerate(stages):
        ends = number == len(stages) - 1 and kept == 1.0
        if not _is_elementwise(stage.activation) and not (ends and classifies(stage.activation)):
            raise ConfigError(
                f"own_dropout: the activation of layer {stage.dense.name!r} is not elementwise; "
                "expected one such as relu or gelu, or softmax at the end"
            )
    return stages, 1.0 - kept


def _activation(layer: keras.layers.Layer) -> Activation:
    found: Activation
    if isinstance(layer, Layers.Softmax):
        found = keras.activations.softmax
    elif isinstance(layer, Layers.ReLU):
        plain = layer.negative_slope == 0 and layer.threshold == 0
        if not plain or layer.max_value not in (None, 6):
            raise ConfigError(
                f"own_dropout: layer {layer.name!r} is a ReLU with a slope, a threshold or a bound "
                "of its own; expected a plain one, or one that is bounded by 6"
            )
        found = keras.activations.relu if layer.max_value is None else keras.activations.relu6
    else:
        found = layer.activation
    return found


def classifies(activation: Activation) -> bool:
    """Whether a layer with it can be the last one of a classifier."""
    kinds = keras.activations
    return activation in (kinds.softmax, kinds.log_softmax, kinds.linear, kinds.sigmoid)


def name_of(activation: Activation) -> str:
    """What an activation is called."""
    return getattr(activation, "__name__", type(activation).__name__)


def _is_elementwise(activation: Activation) -> bool:
    values = np.array([[-2.0, 0.5, 3.0, 1.0], [-2.0, 2.0, -1.0, 0.1]], np.float32)
    try:
        one, other = np.asarray(activation(tf.constant(values)))
    except (TypeError, ValueError, tf.errors.OpError):
        return False
    # The same of the same, whatever stands beside it.
    return len(one) == values.shape[1] and bool(np.isclose(one[0], other[0]))


def is_link(layer: object) -> bool:
    """Whether a head can be made of such a layer."""
    if isinstance(layer, Layers.Dropout):
        return type(layer) is Layers.Dropout and layer.noise_shape is None
    return isinstance(layer, _LINKS)


def is_dropout(layer: keras.layers.Layer) -> bool:
    """Whether it drops units one by one, at a rate that is not 0."""
    return isinstance(layer, Layers.Dropout) and is_link(layer) and layer.rate != 0
