"""Activations and widths that several networks share."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


def scaled(count: int, width: float) -> int:
    """A channel or unit count under a width multiplier; at least 8."""
    return max(8, round(count * width))


def leaky_relu(values: tf.Tensor, slope: float) -> tf.Tensor:
    """The larger of a value and ``slope`` times it, for a slope below 1."""

    @tf.custom_gradient
    def leaky(inside: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        outside = tf.maximum(inside, tf.cast(slope, inside.dtype) * inside)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # One kernel; the gradient of a maximum is made of five. Values go out with the sign
            # they came with. As tf.nn.leaky_relu, or as a gradient that reads what went in, it
            # makes Grappler's remapper fail inside the training loop, which then fuses nothing.
            return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=outside, alpha=slope)

        return outside, gradient

    return leaky(values)


def activated(hidden: tf.Tensor, slope: float) -> tf.Tensor:
    """ReLU, or leaky ReLU where the slope is not 0."""
    return leaky_relu(hidden, slope) if slope else keras.ops.relu(hidden)
