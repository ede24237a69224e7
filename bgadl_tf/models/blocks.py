"""Activations and widths that several networks share."""

from __future__ import annotations

import keras
import tensorflow as tf


def scaled(count: int, width: float) -> int:
    """A channel or unit count under a width multiplier; at least 8."""
    return max(8, round(count * width))


def leaky_relu(values: tf.Tensor, slope: float) -> tf.Tensor:
    """The larger of a value and ``slope`` times it, for a slope in (0, 1)."""
    # What tf.custom_gradient traces stays in memory for ever; the gradient of a maximum is made of
    # five kernels, this one's of one; tf.nn.leaky_relu makes Grappler's remapper fail inside the
    # training loop, which then fuses nothing.
    factor = tf.maximum(tf.sign(values), tf.cast(slope, values.dtype))
    return values * tf.stop_gradient(factor)


def activated(hidden: tf.Tensor, slope: float) -> tf.Tensor:
    """ReLU, or leaky ReLU where the slope is not 0."""
    return leaky_relu(hidden, slope) if slope else keras.ops.relu(hidden)
