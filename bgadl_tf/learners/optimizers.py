"""Optimizers by name, and fresh states for them."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners import fused_optimizers

OPTIMIZERS: dict[str, Callable[[float], keras.optimizers.Optimizer]] = {
    "sgd": lambda rate: fused_optimizers.MomentumSGD(rate, momentum=0.9),
    "adam": lambda rate: fused_optimizers.Adam(rate),
    "adadelta": lambda rate: fused_optimizers.Adadelta(rate, rho=0.9),
}


def make_optimizer(name: str, learning_rate: float) -> keras.optimizers.Optimizer:
    """An optimizer.

    Args:
        name: ``sgd`` (momentum 0.9, the paper's), ``adam`` or ``adadelta`` (rho 0.9, the
            released code's).
        learning_rate: Step size.

    Raises:
        ConfigError: The name is unknown or the learning rate is not positive.
    """
    if name not in OPTIMIZERS:
        raise ConfigError(f"unknown optimizer {name!r}; known: {', '.join(OPTIMIZERS)}")
    if not learning_rate > 0:
        raise ConfigError(f"the learning rate is {learning_rate}; it must be positive")
    return OPTIMIZERS[name](learning_rate)


def reset_optimizer(optimizer: keras.optimizers.Optimizer) -> None:
    """Set the step count and every slot to zero, as they are when the optimizer is new."""
    for variable in optimizer.variables:
        if variable is not optimizer.learning_rate:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
