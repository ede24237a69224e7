"""By which a network is recognised: its layers and how they are wired, its weights, its pixels.

Names of layers do not matter, since Keras counts them up in a process, nor what only a training
would heed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

_OF_TRAINING = ("seed", "synchronized", "trainable", "compile_config")
"""Settings that say nothing of what a frozen layer computes."""

_OF_FILES = ("module", "build_config", "build_input_shape")
"""Where Keras finds a class, and the shapes of weights, which are known from these."""

_WIRES = ("keras_history", "input_layers", "output_layers")
"""Settings of models that name layers."""


def of(network: keras.Model, *others: object) -> str:
    """A digest: the same in every process, and of every copy of a copy.

    Args:
        network: Of any kind; of a subclassed one only what it says of itself is known. What an
            adapted ``Normalization`` has learnt is among the weights of what Keras makes, and among
            the settings of our copies, which differ from it by that.
        others: What else it is to be of, fit for JSON.
    """
    digest = hashlib.blake2b(digest_size=16)
    about = [_plain(network.get_config(), {}), *others]
    digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    for weight in network.weights:
        value = np.ascontiguousarray(weight.numpy())
        digest.update(f"{value.shape} {value.dtype}".encode())
        digest.update(value.data.cast("B") if value.size else b"")
    return digest.hexdigest()


def _plain(value: Any, numbers: Mapping[str, str]) -> Any:
    """A configuration without names of layers.

    Args:
        value: It, or a part of it.
        numbers: Of the layers of the model that it is of, by name.
    """
    if isinstance(value, list | tuple):
        return [_plain(inner, numbers) for inner in value]
    if not isinstance(value, dict):
        return value
    if "trainable" in value:  # a layer's; the name of a dtype policy says what it is
        value = _nameless(value)
    layers = value.get("layers")
    if isinstance(layers, list | tuple) and all(map(_is_described, layers)):
        numbers = {layer["config"].get("name", ""): str(n) for n, layer in enumerate(layers)}
        layers = [_nameless({**layer, "config": _nameless(layer["config"])}) for layer in layers]
        value = {**value, "layers": layers}
    return {
        key: _numbered(inner, numbers) if key in _WIRES else _plain(inner, numbers)
        for key, inner in value.items()
        if key not in (*_OF_TRAINING, *_OF_FILES)
    }


def _numbered(wires: Any, numbers: Mapping[str, str]) -> Any:
    """Where a tensor comes from, by the number of the layer instead of its name."""
    if isinstance(wires, list | tuple):
        return [_numbered(inner, numbers) for inner in wires]
    if isinstance(wires, dict):
        return {key: _numbered(inner, numbers) for key, inner in wires.items()}
    return numbers.get(wires, wires)


def _nameless(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "name"}


def _is_described(layer: object) -> bool:
    return isinstance(layer, dict) and isinstance(layer.get("config"), dict)
