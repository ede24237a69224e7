"""Fresh weights in place: the traced functions of a run stay valid from round to round."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras

from bgadl_tf.models.classifiers.base import Classifier

SeedOf = Callable[[str], int]
"""From the name of a weight to the seed of its initial value."""

_KINDS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


def draw(network: keras.Model, seed_of: SeedOf) -> None:
    """Draw the weights of a network anew; those that a classifier was given stay as they are."""
    drawn = network.drawn_layers() if isinstance(network, Classifier) else [network]
    for layer in drawn:
        initialise(layer, seed_of)


def is_drawn(network: keras.Model) -> bool:
    """Whether ``draw`` draws every weight of a network."""
    return not isinstance(network, Classifier) or network.drawn_layers() == [network]


def initialise(network: keras.layers.Layer, seed_of: SeedOf) -> None:
    """Draw every weight of ``network`` anew, by its own layer's initializer and a named seed.

    The values depend on the seeds and on the layers' order alone: not on how many networks
    were made before, not on the number of replicas.

    Raises:
        TypeError: The network holds a weight that no layer's initializer accounts for.
    """
    drawn = set()
    for number, layer in enumerate(_leaves(network)):
        for kind in _KINDS:
            variable = getattr(layer, kind, None)
            if variable is None:
                continue
            initializer = getattr(layer, f"{kind}_initializer", None)
            if initializer is None:
                continue
            config = initializer.get_config()
            if "seed" in config:
                config["seed"] = seed_of(f"{number}/{kind}")
            fresh = type(initializer).from_config(config)
            variable.assign(fresh(variable.shape, dtype=variable.dtype))
            drawn.add(variable.path)
    forgotten = [v.path for v in network.weights if v.path not in drawn]
    if forgotten:
        raise TypeError(f"no initializer is known for {', '.join(forgotten)}")


def _leaves(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    children = list(layer._flatten_layers(include_self=False, recursive=False))
    if not children:
        yield layer
    for child in children:
        yield from _leaves(child)
