"""A user's model copied, so that it stays as it is: in a precision, and fit for replicas."""

from __future__ import annotations

import random
from collections.abc import Iterator

import keras

from bgadl_tf.core.errors import ConfigError


def copied(model: keras.Model, precision: str | None = None) -> keras.Model:
    """A model of the same layers and weights, those of the models within it included.

    Three things differ. BatchNorm takes the statistics of the global batch, without which two
    replicas no longer compute what one computes. Adapted ``Normalization`` layers hold what they
    have learnt as settings: their variables are read once and never again, so that weights which
    are given to a copy would change nothing. Layers that draw at random have a seed, so that a copy
    of the copy is the same.

    Args:
        model: Functional or sequential. A subclassed one, which cannot be copied, is returned
            itself.
        precision: Dtype policy of every layer; None for their own.

    Raises:
        ConfigError: A layer does not say in ``get_config`` what it is made of.
    """
    if is_subclassed(model):
        _synchronise(model)
        return model

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if precision is not None and "dtype" in config:
            config["dtype"] = precision
        if config.get("seed", 0) is None:
            config["seed"] = random.randint(1, 10**9)  # as Keras does by itself
        if _is_adapted(layer):
            config["mean"] = layer.adapt_mean.numpy().tolist()
            config["variance"] = layer.adapt_variance.numpy().tolist()
        return type(layer).from_config(config)

    try:
        twin = keras.models.clone_model(model, clone_function=clone, recursive=True)
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ConfigError(
            f"model {model.name!r} cannot be copied: {' '.join(str(error).split())[:300]}; give "
            "its own layers a get_config() with every argument of their constructors"
        ) from error
    settled = {id(w) for layer in leaves(model) if _is_adapted(layer) for w in layer.weights}
    weights = [weight for weight in model.weights if id(weight) not in settled]
    for old, new in zip(weights, twin.weights, strict=True):
        new.assign(old.numpy())
    _synchronise(twin)
    # Anew, so that nothing of how a model was compiled comes along.
    ends = (side[0] if len(side) == 1 else side for side in (twin.inputs, twin.outputs))
    return keras.Model(*ends, name=model.name)


def is_subclassed(model: keras.Model) -> bool:
    """Whether a model is code of its own, and not a graph of layers."""
    return getattr(model, "inputs", None) is None


def leaves(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model that hold no others, in its order; those of models within it, too."""
    for layer in model._flatten_layers(include_self=False, recursive=False):
        inner = [*layer._flatten_layers(include_self=False, recursive=False)]
        if inner:
            yield from leaves(layer)
        else:
            yield layer


def batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Every BatchNorm in a model."""
    inside = model._flatten_layers(include_self=False)
    return [layer for layer in inside if isinstance(layer, keras.layers.BatchNormalization)]


def _synchronise(model: keras.Model) -> None:
    for layer in batch_norms(model):
        layer.synchronized = True


def _is_adapted(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.Normalization) and layer.input_mean is None
