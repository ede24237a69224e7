"""Layers that several networks are made of."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.groups import ALONE, Groups


def halvings(image_shape: ImageShape) -> list[tuple[int, int]]:
    """Sizes that stride-2 convolutions pass through, down to at most 7 pixels a side.

    28x28 -> [(28, 28), (14, 14), (7, 7)], 32x32 -> [(32, 32), …, (4, 4)].
    """
    sizes = [image_shape[:2]]
    while max(sizes[-1]) > 7:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


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


@keras.saving.register_keras_serializable("bgadl_tf")
class Downsampling(keras.layers.Layer):
    """Stride-2 4x4 convolutions until the image is at most 7 pixels a side, then a dense layer.

    The common part of encoder and discriminator: conv 64, 128, 256, … each followed by
    BatchNorm (not the first) and an activation, flattened into one dense layer.

    Args:
        image_shape: (H, W, D).
        channels: Channels after the first convolution; doubled at each further one.
        hidden: Width of the dense layer.
        slope: Negative slope of the activations; 0 is ReLU.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        channels: int,
        hidden: int,
        slope: float,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.image_shape, self.channels = image_shape, channels
        self.hidden, self.slope = hidden, slope
        policy = self.dtype_policy
        stages = len(halvings(image_shape)) - 1
        self.convolutions = [
            keras.layers.Conv2D(
                channels * 2**stage,
                4,
                strides=2,
                padding="same",
                use_bias=stage == 0,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
                dtype=policy,
            )
            for stage in range(stages)
        ]
        self.norms = [BatchNorm(dtype=policy) for _ in range(stages - 1)]
        self.flatten = keras.layers.Flatten(dtype=policy)
        self.dense = keras.layers.Dense(
            hidden,
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=policy,
        )
        self.dense_norm = BatchNorm(dtype=policy)

    def build(self, input_shape: tuple[int, ...]) -> None:
        shape = tuple(input_shape)
        for stage, convolution in enumerate(self.convolutions):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            if stage:
                self.norms[stage - 1].build(shape)
        self.dense.build((None, math.prod(shape[1:])))
        self.dense_norm.build((None, self.hidden))
        self.built = True

    def call(self, images: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        hidden = images
        for stage, convolution in enumerate(self.convolutions):
            hidden = convolution(hidden)
            if stage:
                hidden = self.norms[stage - 1](hidden, training=training, groups=groups)
            hidden = self._activation(hidden)
        hidden = self.dense(self.flatten(hidden))
        return self._activation(self.dense_norm(hidden, training=training, groups=groups))

    def _activation(self, hidden: tf.Tensor) -> tf.Tensor:
        return leaky_relu(hidden, self.slope) if self.slope else keras.ops.relu(hidden)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        return (input_shape[0], self.hidden)

    def get_config(self) -> dict[str, object]:
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "channels": self.channels,
            "hidden": self.hidden,
            "slope": self.slope,
        }
