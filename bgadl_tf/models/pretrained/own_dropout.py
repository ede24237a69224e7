"""A model's own Dropout layers as the stochastic part of a classifier.

Only behind the last pooling: there a pass costs a few small products. A mask within the network
would cost K passes of all that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained import cloning

Layers = keras.layers

_LINKS = (Layers.Dropout, Layers.Dense, Layers.Activation, Layers.ReLU, Layers.Softmax)
"""What a stochastic head can be made of."""

_RANDOM = (Layers.Dropout, Layers.AlphaDropout, Layers.GaussianDropout, Layers.GaussianNoise)

_POOLING = (
    Layers.Flatten, Layers.Reshape,
    Layers.GlobalAveragePooling1D, Layers.GlobalAveragePooling2D, Layers.GlobalAveragePooling3D,
    Layers.GlobalMaxPooling1D, Layers.GlobalMaxPooling2D, Layers.GlobalMaxPooling3D,
    Layers.AveragePooling1D, Layers.AveragePooling2D, Layers.AveragePooling3D,
    Layers.MaxPooling1D, Layers.MaxPooling2D, Layers.MaxPooling3D,
)  # fmt: skip

Activation = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class OwnHead:
    """What is before the first Dropout behind the last pooling, and what a head is made of.

    Args:
        network: From examples to features ``[B, F]``.
        dense: Layers whose weights the first layers of the head get.
        rates: Dropout rate before each dense layer of the head, the last one included.
        activations: Of its hidden layers.
        hidden: Their widths.
    """

    network: keras.Model
    dense: Sequence[keras.layers.Dense]
    rates: tuple[float, ...]
    activations: tuple[Activation, ...]
    hidden: tuple[int, ...]


@dataclass
class _Stage:
    dense: keras.layers.Dense
    rate: float
    activation: Activation


def of(model: keras.Model, classes: int) -> OwnHead:
    """The stochastic part of a model.

    Its last dense layer, if that classifies, is part of it where it has C units, and is left out
    for one that is drawn where it has not.

    Args:
        model: Functional or sequential.
        classes: C.

    Raises:
        ConfigError: It has no Dropout layer behind its last pooling, or something stands behind
            it that no mask can be drawn for. The message names the layer.
    """
    if cloning.is_subclassed(model):
        raise ConfigError(
            f"own_dropout: model {model.name!r} is a subclassed model, in which no layers can be "
            "told apart; leave it out, or build the model with keras.Input or keras.Sequential"
        )
    links, before = _tail(model)
    first = next((n for n, (layer, _) in enumerate(links) if _is_dropout(layer)), len(links))
    head = links[first:]
    _refuse_random_elsewhere(model, [layer for layer, _ in head], before)
    features = head[0][1]
    if len(features.shape) != 2:
        raise ConfigError(
            f"own_dropout: layer {head[0][0].name!r} of model {model.name!r} drops parts of a map "
            f"of shape {features.shape}; expected features [B, F]: pool or flatten before it"
        )
    stages, rate = _stages([layer for layer, _ in head])
    last = stages[-1] if stages and rate == 0.0 else None
    rates, hidden = [stage.rate for stage in stages], stages
    if last is not None and _classifies(last):
        hidden = stages[:-1]
        if last.dense.units == classes and last.activation is keras.activations.sigmoid:
            raise ConfigError(
                f"own_dropout: layer {last.dense.name!r} gives {classes} sigmoids, each by itself; "
                "expected a softmax over classes that exclude each other"
            )
    else:
        rates.append(rate)
    given = stages if last is not None and last.dense.units == classes else hidden
    return OwnHead(
        network=keras.Model(model.inputs[0], features, name=model.name),
        dense=[stage.dense for stage in given],
        rates=tuple(rates),
        activations=tuple(stage.activation for stage in hidden),
        hidden=tuple(stage.dense.units for stage in hidden),
    )


def _tail(
    model: keras.Model,
) -> tuple[list[tuple[keras.layers.Layer, keras.KerasTensor]], object]:
    """The chain of links that a model ends in, each with its input; and what is before it."""
    tensor, found = model.outputs[0], []
    while True:
        layer, node, _ = tensor._keras_history
        is_model = isinstance(layer, keras.Model) and not cloning.is_subclassed(layer)
        ends_in_links = is_model and _is_link(layer.layers[-1])
        if not ends_in_links and not _is_link(layer):
            return found[::-1], layer
        tensor = layer._inbound_nodes[node].input_tensors[0]
        if ends_in_links:
            tensor = layer.call(tensor)  # its layers by themselves
        else:
            found.append((layer, tensor))


def _refuse_random_elsewhere(
    model: keras.Model, head: Sequence[keras.layers.Layer], before: object
) -> None:
    """Make sure that the head has all that is random behind the last pooling, and has something."""
    every = [*cloning.leaves(model)]
    pooled = max((n for n, layer in enumerate(every) if isinstance(layer, _POOLING)), default=-1)
    own = {id(layer) for layer in head}
    others = [layer for layer in every[pooled + 1 :] if _is_random(layer) and id(layer) not in own]
    where = f"own_dropout: model {model.name!r}"
    if odd := next((layer for layer in others if not _is_dropout(layer)), None):
        raise ConfigError(
            f"{where} has layer {odd.name!r}, a {type(odd).__name__}, behind its last pooling; only "
            "Dropout can be drawn by given masks: replace it, or leave own_dropout out"
        )
    if others:
        raise ConfigError(
            f"{where} has {_told(before)} between Dropout {others[0].name!r} and its end, where "
            "only Dense, elementwise activations and Dropout can be; leave own_dropout out"
        )
    if head:
        return
    within = [layer for layer in every if _is_random(layer)]
    if within:
        raise ConfigError(
            f"{where} has layer {within[-1].name!r}, a {type(within[-1]).__name__}, before its "
            "last pooling only: its masks would cost K passes of the whole network; leave own_dropout "
            "out, and a Dropout of ours is put before the last layer"
        )
    raise ConfigError(
        f"{where} has no Dropout layer; leave own_dropout out, and one is put before the last layer"
    )


def _stages(layers: Sequence[keras.layers.Layer]) -> tuple[list[_Stage], float]:
    """Dense layers with the rate before each and the activation behind it; the rate left over."""
    stages: list[_Stage] = []
    kept = 1.0  # two Dropouts in a row drop as one does whose share of kept units is the product
    for layer in layers:
        if _is_dropout(layer):
            kept *= 1.0 - layer.rate
        elif isinstance(layer, Layers.Dense):
            stages.append(_Stage(layer, 1.0 - kept, layer.activation))
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
        if not _is_elementwise(stage.activation) and not (ends and _classifies(stage)):
            raise ConfigError(
                f"own_dropout: the activation of layer {stage.dense.name!r} is not elementwise; "
                "expected one such as relu or gelu, or softmax at the end"
            )
    return stages, 1.0 - kept


def _activation(layer: keras.layers.Layer) -> Activation:
    if isinstance(layer, Layers.Softmax):
        return keras.activations.softmax
    if isinstance(layer, Layers.ReLU):
        if layer.negative_slope == 0 and layer.threshold == 0 and layer.max_value in (None, 6):
            return keras.activations.relu if layer.max_value is None else keras.activations.relu6
        raise ConfigError(
            f"own_dropout: layer {layer.name!r} is a ReLU with a slope, a threshold or a bound of "
            "its own; expected a plain one, or one that is bounded by 6"
        )
    return layer.activation


def _classifies(stage: _Stage) -> bool:
    kinds = keras.activations.softmax, keras.activations.linear, keras.activations.sigmoid
    return stage.activation in kinds


def _is_elementwise(activation: Activation) -> bool:
    values = np.array([[-2.0, 0.5, 3.0, 1.0], [-2.0, 2.0, -1.0, 0.1]], np.float32)
    try:
        one, other = np.asarray(activation(tf.constant(values)))
    except (TypeError, ValueError, tf.errors.OpError):
        return False
    # The same of the same, whatever stands beside it.
    return len(one) == values.shape[1] and bool(np.isclose(one[0], other[0]))


def _is_link(layer: object) -> bool:
    if isinstance(layer, Layers.Dropout):
        return type(layer) is Layers.Dropout and layer.noise_shape is None
    return isinstance(layer, _LINKS)


def _is_random(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, _RANDOM) and getattr(layer, "rate", 1.0) != 0


def _is_dropout(layer: keras.layers.Layer) -> bool:
    """Whether it drops units one by one, at a rate that is not 0."""
    return isinstance(layer, Layers.Dropout) and _is_link(layer) and layer.rate != 0


def _told(layer: object) -> str:
    name = getattr(layer, "name", "")
    return f"layer {name!r} ({type(layer).__name__})"
