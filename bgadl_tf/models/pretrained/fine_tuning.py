"""How much of a network is trained: all of it, its last layers, or nothing but the head on it."""

from __future__ import annotations

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.pretrained import cloning

FineTune = str | int
"""``all``, ``head``, or N: the head and the last N layers that have weights."""


def parse(text: FineTune) -> FineTune:
    """From what a command line says.

    Raises:
        ConfigError: It is neither of the three.
    """
    if text in ("all", "head"):
        return text
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise ConfigError(
            f"--fine-tune is {text!r}; expected all, head, or the number of the last layers that "
            "are trained, 1 or more"
        )
    return count


def apply(network: keras.Model, fine_tune: FineTune) -> None:
    """Freeze what is not to be trained. ``all`` leaves every layer as its maker had it.

    Args:
        network: Layers of models within it count one by one.
        fine_tune: What is trained of it.

    Raises:
        ConfigError: It has fewer layers than that.
    """
    fine_tune = parse(fine_tune)
    if fine_tune == "all":
        return
    layers = [layer for layer in cloning.leaves(network) if layer.weights]
    kept = 0 if fine_tune == "head" else int(fine_tune)
    if kept > len(layers):
        raise ConfigError(
            f"--fine-tune is {kept}, but model {network.name!r} has {len(layers)} layers that have "
            "weights; give at most as many, or all"
        )
    for layer in layers[: len(layers) - kept]:
        layer.trainable = False
    if fine_tune == "head":
        network.trainable = False  # what a subclassed model holds by itself, too
