"""CIFAR-style residual network of 18 layers, post- or pre-activation.

He et al. 2016a (post-activation) and 2016b (pre-activation): a 3x3 stem of stride 1, four
stages of two basic blocks with 64, 128, 256 and 512 channels, global average pooling.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.blocks import scaled
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


def _convolution(channels: int, size: int, stride: int, policy: object) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        dtype=policy,
    )


@keras.saving.register_keras_serializable("bgadl_tf")
class BasicBlock(keras.layers.Layer):
    """Two 3x3 convolutions beside a shortcut.

    Args:
        channels: Channels out.
        stride: Of the first convolution and the shortcut.
        preactivation: BatchNorm and ReLU before each convolution instead of after it.
    """

    def __init__(self, channels: int, stride: int, preactivation: bool, **kw: object) -> None:
        super().__init__(**kw)
        self.channels, self.stride, self.preactivation = channels, stride, preactivation
        policy = self.dtype_policy
        self.first = _convolution(channels, 3, stride, policy)
        self.second = _convolution(channels, 3, 1, policy)
        self.first_norm, self.second_norm = BatchNorm(dtype=policy), BatchNorm(dtype=policy)
        self.shortcut: keras.layers.Conv2D | None = None
        self.shortcut_norm: BatchNorm | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        inside = (*self.first.compute_output_shape(input_shape)[:3], self.channels)
        if self.stride != 1 or input_shape[-1] != self.channels:
            self.shortcut = _convolution(self.channels, 1, self.stride, self.dtype_policy)
            self.shortcut.build(input_shape)
            if not self.preactivation:
                self.shortcut_norm = BatchNorm(dtype=self.dtype_policy)
                self.shortcut_norm.build(inside)
        self.first.build(input_shape)
        self.second.build(inside)
        self.first_norm.build(input_shape if self.preactivation else inside)
        self.second_norm.build(inside)
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if self.preactivation:
            active = keras.ops.relu(self.first_norm(inputs, training=training))
            shortcut = inputs if self.shortcut is None else self.shortcut(active)
            hidden = self.second_norm.convolve(self.first, active, training)
            return self.second(keras.ops.relu(hidden)) + shortcut
        hidden = keras.ops.relu(self.first_norm.convolve(self.first, inputs, training))
        hidden = self.second_norm.convolve(self.second, hidden, training)
        shortcut = inputs
        if self.shortcut is not None and self.shortcut_norm is not None:
            shortcut = self.shortcut_norm.convolve(self.shortcut, inputs, training)
        return keras.ops.relu(hidden + shortcut)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        shape: tuple[int | None, ...] = self.first.compute_output_shape(input_shape)
        return shape

    def get_config(self) -> dict[str, object]:
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
            "preactivation": self.preactivation,
        }


class ResNet18(Classifier):
    """The network; its two registered forms differ in ``preactivation`` alone.

    Neither paper nor released code says where the MC dropout of BGADL's ResNets sat; ours is
    one dropout of 0.5 before the last dense layer.

    Args:
        shape: (H, W, D).
        classes: C.
        dropout: Rate before the dense layer; None for 0.5.
        width: Multiplies the channel counts.
    """

    preactivation: bool

    def __init__(
        self,
        shape: Shape,
        classes: int,
        dropout: float | None = None,
        width: float = 1.0,
        **kw: object,
    ) -> None:
        super().__init__(shape, classes, dropout, **kw)
        self.width = width
        policy = self.dtype_policy
        self.stem = _convolution(scaled(64, width), 3, 1, policy)
        self.norm = BatchNorm(dtype=policy)
        self.blocks = [
            BasicBlock(
                scaled(64 * 2**stage, width),
                2 if stage and not position else 1,
                self.preactivation,
                dtype=policy,
            )
            for stage in range(4)
            for position in range(2)
        ]
        self.pool = keras.layers.GlobalAveragePooling2D(dtype=policy)
        self.head = StochasticHead(classes, (), self.rates(0.5), dtype=policy)
        if not self.preactivation:
            self.stem.build((None, *shape))
            self.norm.build((None, *shape[:2], self.stem.filters))
        self.build_for(shape)

    def features(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        if self.preactivation:
            hidden = self.stem(images)
        else:
            hidden = keras.ops.relu(self.norm.convolve(self.stem, images, training))
        for block in self.blocks:
            hidden = block(hidden, training=training)
        if self.preactivation:
            hidden = keras.ops.relu(self.norm(hidden, training=training))
        return self.pool(hidden)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "width": self.width}
