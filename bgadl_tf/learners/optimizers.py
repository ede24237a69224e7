"""Optimizers by name, and the states that they begin with: any Keras optimizer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

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


def state_of(optimizer: keras.optimizers.Optimizer) -> list[NDArray[Any]]:
    """Values of an optimizer's variables; of one that holds a single number throughout, that."""
    return [_value(variable) for variable in optimizer.variables]


def restore_state(optimizer: keras.optimizers.Optimizer, state: list[NDArray[Any]]) -> None:
    """Give an optimizer the state that ``state_of`` returned."""
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(tf.broadcast_to(tf.cast(value, variable.dtype), variable.shape))


def _value(variable: keras.Variable) -> NDArray[Any]:
    low, high = tf.reduce_min(variable.value), tf.reduce_max(variable.value)
    constant = variable.shape.num_elements() and low == high
    return np.asarray(low.numpy() if constant else variable.numpy())
