"""A model's own Dropout layers as the stochastic part of a classifier.

Only behind the last pooling: there a pass costs a few small products. A mask within the network
would cost K passes of all that follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained import cloning, stages
from bgadl_tf.models.pretrained.stages import Activation

Layers = keras.layers

_RANDOM = (Layers.Dropout, Layers.AlphaDropout, Layers.GaussianDropout, Layers.GaussianNoise)

_POOLING = (
    Layers.Flatten, Layers.Reshape,
    Layers.GlobalAveragePooling1D, Layers.GlobalAveragePooling2D, Layers.GlobalAveragePooling3D,
    Layers.GlobalMaxPooling1D, Layers.GlobalMaxPooling2D, Layers.GlobalMaxPooling3D,
    Layers.AveragePooling1D, Layers.AveragePooling2D, Layers.AveragePooling3D,
    Layers.MaxPooling1D, Layers.MaxPooling2D, Layers.MaxPooling3D,
)  # fmt: skip

_WITHOUT = "leave own_dropout (--own-dropout) out"


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
    first = next((n for n, (layer, _) in enumerate(links) if stages.is_dropout(layer)), len(links))
    head = links[first:]
    _refuse_random_elsewhere(model, [layer for layer, _ in head], before)
    features = head[0][1]
    if len(features.shape) != 2:
        raise ConfigError(
            f"own_dropout: layer {head[0][0].name!r} of model {model.name!r} drops parts of a map "
            f"of shape {features.shape}; expected features [B, F]: pool or flatten before it"
        )
    found, rate = stages.stages_of([layer for layer, _ in head])
    last = found[-1] if found and rate == 0.0 else None
    rates, hidden = [stage.rate for stage in found], found
    if last is not None and stages.classifies(last.activation):
        hidden = found[:-1]
        if last.dense.units == classes and last.activation is keras.activations.sigmoid:
            raise ConfigError(
                f"own_dropout: layer {last.dense.name!r} gives {classes} sigmoids, each by itself; "
                "expected a softmax over classes that exclude each other"
            )
    elif last is not None and last.dense.units == classes:
        raise ConfigError(
            f"own_dropout: layer {last.dense.name!r} has a unit for each of the {classes} classes, "
            f"and its activation is {stages.name_of(last.activation)}, which is no classifier's; "
            "expected softmax or none there, or a dense layer of the classes behind it"
        )
    else:
        rates.append(rate)
    given = found if last is not None and last.dense.units == classes else hidden
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
    tensor = model.outputs[0]
    found: list[tuple[keras.layers.Layer, keras.KerasTensor]] = []
    while True:
        layer, node, _ = tensor._keras_history
        is_model = isinstance(layer, keras.Model) and not cloning.is_subclassed(layer)
        ends_in_links = is_model and stages.is_link(layer.layers[-1])
        if not ends_in_links and not stages.is_link(layer):
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
    if odd := next((layer for layer in others if not stages.is_dropout(layer)), None):
        raise ConfigError(
            f"{where} has layer {odd.name!r}, a {type(odd).__name__}, behind its last pooling; "
            f"only Dropout can be drawn by given masks: replace it, or {_WITHOUT}"
        )
    if others:
        raise ConfigError(
            f"{where} has {_told(before)} between Dropout {others[0].name!r} and its end, where "
            f"only Dense, elementwise activations and Dropout can be; {_WITHOUT}"
        )
    if head:
        return
    within = [layer for layer in every if _is_random(layer)]
    if within:
        raise ConfigError(
            f"{where} has layer {within[-1].name!r}, a {type(within[-1]).__name__}, before its "
            "last pooling only: its masks would cost K passes of the whole network; "
            f"{_WITHOUT}, and a Dropout of ours is put before the last layer"
        )
    raise ConfigError(
        f"{where} has no Dropout layer; {_WITHOUT}, and one is put before the last layer"
    )


def _is_random(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, _RANDOM) and getattr(layer, "rate", 1.0) != 0


def _told(layer: object) -> str:
    name = getattr(layer, "name", "")
    return f"layer {name!r} ({type(layer).__name__})"
