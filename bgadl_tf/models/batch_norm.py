"""Batch normalisation, by TensorFlow's fused kernels where these compute the same.

Keras computes it from elementary operations, in float32 with casts around it. At inference it is
affine: behind a convolution it becomes part of the kernel and costs nothing.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.models import groups as grouping
from bgadl_tf.models.groups import ALONE, Groups


@keras.saving.register_keras_serializable("bgadl_tf")
class BatchNorm(keras.layers.BatchNormalization):
    """Normalises the last axis of ``[B, F]`` or ``[B, H, W, D]`` over the global batch.

    Without ``synchronized`` every replica keeps moving statistics of its own, and two replicas
    no longer compute what one computes.
    """

    def __init__(
        self,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = True,
        **kw: object,
    ) -> None:
        super().__init__(momentum=momentum, epsilon=epsilon, synchronized=synchronized, **kw)
        self._frozen = False
        self._kept: tuple[tf.Variable, tf.Variable] | None = None

    def call(
        self,
        inputs: tf.Tensor,
        training: bool = False,
        mask: None = None,
        groups: Groups = ALONE,
    ) -> tf.Tensor:
        if not training or len(groups) == 1:
            return self._normalise(inputs, training)
        parts = grouping.split(inputs, groups)
        return tf.concat([self._normalise(part, True) for part in parts], 0)

    def _normalise(self, inputs: tf.Tensor, training: bool) -> tf.Tensor:
        if training and tf.distribute.get_strategy().num_replicas_in_sync > 1:
            return super().call(inputs, training=True)
        inputs = tf.cast(inputs, self.compute_dtype)
        fused = tf.raw_ops.FusedBatchNormV3(
            x=inputs if inputs.shape.rank == 4 else tf.reshape(inputs, (-1, 1, 1, inputs.shape[1])),
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=[] if training else self.moving_mean.value,
            variance=[] if training else self.moving_variance.value,
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            # The kernel's variance is the unbiased estimate, Keras' is not.
            count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
            self._move(self.moving_mean, fused.batch_mean)
            self._move(self.moving_variance, fused.batch_variance * ((count - 1) / count))
        return fused.y if inputs.shape.rank == 4 else tf.squeeze(fused.y, (1, 2))

    def _move(self, average: keras.Variable, value: tf.Tensor) -> None:
        average.assign(average * self.momentum + value * (1.0 - self.momentum))

    def convolve(
        self, convolution: keras.layers.Conv2D, inputs: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """A convolution without bias, then this layer; at inference, both in one convolution.

        Args:
            convolution: Runs before this layer.
            inputs: ``[B, H, W, D]``.
            training: Whether the statistics are those of the batch.
        """
        if training:
            return self(convolution(inputs), training=True)
        kernel, shift = self._folded_into(convolution)
        convolved = tf.nn.conv2d(
            tf.cast(inputs, self.compute_dtype), kernel, convolution.strides, "SAME"
        )
        return tf.nn.bias_add(convolved, shift)

    def freeze(self) -> None:
        """Say that the weights change no more: what ``convolve`` makes of them is then kept."""
        self._frozen = True

    def _folded_into(self, convolution: keras.layers.Conv2D) -> tuple[tf.Tensor, tf.Tensor]:
        """Kernel and bias of the convolution that does the work of both."""
        if not self._frozen:
            return self._fold(convolution)
        if self._kept is None:
            kernel, shift = self._fold(convolution)
            self._kept = tf.Variable(kernel, trainable=False), tf.Variable(shift, trainable=False)
        return self._kept

    def _fold(self, convolution: keras.layers.Conv2D) -> tuple[tf.Tensor, tf.Tensor]:
        scale = self.gamma.value * tf.math.rsqrt(self.moving_variance.value + self.epsilon)
        shift = self.beta.value - self.moving_mean.value * scale
        kernel = tf.cast(convolution.kernel.value, tf.float32) * scale
        return tf.cast(kernel, self.compute_dtype), tf.cast(shift, self.compute_dtype)
