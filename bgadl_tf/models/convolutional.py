"""Convolutional parts of E, G and D: an image to hidden units, and hidden units to an image."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.blocks import activated, scaled
from bgadl_tf.models.groups import ALONE, Groups


def halvings(shape: Shape) -> list[tuple[int, int]]:
    """Sizes that stride-2 convolutions pass through, down to at most 7 pixels a side.

    28x28 -> [(28, 28), (14, 14), (7, 7)], 32x32 -> [(32, 32), …, (4, 4)].
    """
    height, width, _ = shape
    sizes = [(height, width)]
    while max(sizes[-1]) > 7:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


@keras.saving.register_keras_serializable("bgadl_tf")
class Downsampling(keras.layers.Layer):
    """Stride-2 4x4 convolutions until the image is at most 7 pixels a side, then a dense layer.

    The common part of encoder and discriminator: conv 64, 128, 256, … each followed by
    BatchNorm (not the first) and an activation, flattened into one dense layer.

    Args:
        shape: (H, W, D).
        channels: Channels after the first convolution; doubled at each further one.
        hidden: Width of the dense layer.
        slope: Negative slope of the activations; 0 is ReLU.
    """

    def __init__(
        self,
        shape: Shape,
        channels: int,
        hidden: int,
        slope: float,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.example_shape, self.channels = shape, channels
        self.hidden, self.slope = hidden, slope
        policy = self.dtype_policy
        stages = len(halvings(shape)) - 1
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

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape)
        for stage, convolution in enumerate(self.convolutions):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            if stage:
                self.norms[stage - 1].build(shape)
        self.dense.build((None, math.prod(shape[1:])))
        self.dense_norm.build((None, self.hidden))
        self.built = True

    def maps(self, images: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        """What the last convolution sees in images ``[B, H, W, D]``: ``[B, h, w, channels]``."""
        hidden = images
        for stage, convolution in enumerate(self.convolutions):
            hidden = convolution(hidden)
            if stage:
                hidden = self.norms[stage - 1](hidden, training=training, groups=groups)
            hidden = activated(hidden, self.slope)
        return hidden

    def call(self, images: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        hidden = self.dense(self.flatten(self.maps(images, training, groups)))
        hidden = self.dense_norm(hidden, training=training, groups=groups)
        return activated(hidden, self.slope)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        return (input_shape[0], self.hidden)

    def get_config(self) -> dict[str, object]:
        return {
            **super().get_config(),
            "shape": self.example_shape,
            "channels": self.channels,
            "hidden": self.hidden,
            "slope": self.slope,
        }


@keras.saving.register_keras_serializable("bgadl_tf")
class Upsampling(keras.layers.Layer):
    """A dense layer onto a small grid, then stride-2 4x4 transposed convolutions to an image.

    MNIST 7-14-28, CIFAR 4-8-16-32.

    Args:
        shape: (H, W, D).
        width: Multiplies the paper's channel counts.
    """

    def __init__(self, shape: Shape, width: float, **kw: object) -> None:
        super().__init__(**kw)
        self.example_shape, self.width = tuple(shape), width
        small = {
            "kernel_initializer": keras.initializers.RandomNormal(stddev=0.02),
            "dtype": self.dtype_policy,
        }
        sizes = halvings(shape)
        self.grid = sizes[-1]
        stages = len(sizes) - 1
        channels = [scaled(64, width) * 2**stage for stage in reversed(range(stages))]
        self.start_channels = scaled(128, width) if stages < 3 else channels[0]
        self.project = keras.layers.Dense(
            self.grid[0] * self.grid[1] * self.start_channels, use_bias=False, **small
        )
        self.project_norm = BatchNorm(dtype=self.dtype_policy)
        self.convolutions = [
            keras.layers.Conv2DTranspose(
                kernels, 4, strides=2, padding="same", use_bias=last, **small
            )
            for kernels, last in [*((c, False) for c in channels[1:]), (shape[2], True)]
        ]
        self.norms = [BatchNorm(dtype=self.dtype_policy) for _ in channels[1:]]

    def build(self, input_shape: Shape) -> None:
        self.project.build(input_shape)
        self.project_norm.build((None, self.project.units))
        shape: Shape = (0, *self.grid, self.start_channels)
        for convolution, norm in zip(self.convolutions, [*self.norms, None], strict=True):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            if norm is not None:
                norm.build(shape)
        self.built = True

    def call(self, hidden: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        """Images ``[B, H, W, D]`` float32 in [0, 1] of hidden units ``[B, units]``."""

        def active(norm: BatchNorm, values: tf.Tensor) -> tf.Tensor:
            return keras.ops.relu(norm(values, training=training, groups=groups))

        hidden = active(self.project_norm, self.project(hidden))
        hidden = keras.ops.reshape(hidden, (-1, *self.grid, self.start_channels))
        for convolution, norm in zip(self.convolutions[:-1], self.norms, strict=True):
            hidden = active(norm, convolution(hidden))
        logits = self.convolutions[-1](hidden)
        height, width, _ = self.example_shape
        if logits.shape[1:3] != (height, width):
            logits = logits[:, :height, :width]
        return keras.ops.sigmoid(keras.ops.cast(logits, "float32"))

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        return (input_shape[0], *self.example_shape)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "shape": self.example_shape, "width": self.width}
