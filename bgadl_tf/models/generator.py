"""Generator G, which is also the decoder of the VAE: a latent and a label to an image.

x' = G(z, y): z from the encoder of x* gives the paper's augmented image, z from N(0, I) a new one.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.blocks import halvings, scaled
from bgadl_tf.models.groups import ALONE, Groups


@keras.saving.register_keras_serializable("bgadl_tf")
class Generator(keras.Model):
    """Label-conditioned transposed convolutions: MNIST 7-14-28, CIFAR 4-8-16-32.

    Args:
        image_shape: (H, W, D).
        classes: C; the label enters one-hot, beside the latent.
        latent_dim: Z.
        width: Multiplies the paper's channel and unit counts.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        classes: int,
        latent_dim: int = 100,
        width: float = 1.0,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.image_shape, self.classes = image_shape, classes
        self.latent_dim, self.width = latent_dim, width
        policy = self.dtype_policy
        small = {
            "kernel_initializer": keras.initializers.RandomNormal(stddev=0.02),
            "dtype": policy,
        }
        sizes = halvings(image_shape)
        self.grid = sizes[-1]
        stages = len(sizes) - 1
        channels = [scaled(64, width) * 2**stage for stage in reversed(range(stages))]
        self.start_channels = scaled(128, width) if stages < 3 else channels[0]
        self.dense = keras.layers.Dense(scaled(1024, width), use_bias=False, **small)
        self.dense_norm = BatchNorm(dtype=policy)
        self.project = keras.layers.Dense(
            self.grid[0] * self.grid[1] * self.start_channels, use_bias=False, **small
        )
        self.project_norm = BatchNorm(dtype=policy)
        self.upsamplings = [
            keras.layers.Conv2DTranspose(
                kernels, 4, strides=2, padding="same", use_bias=last, **small
            )
            for kernels, last in [*((c, False) for c in channels[1:]), (image_shape[2], True)]
        ]
        self.norms = [BatchNorm(dtype=policy) for _ in channels[1:]]
        self([keras.KerasTensor((None, latent_dim)), keras.KerasTensor((None,), dtype="int32")])

    def call(
        self,
        inputs: tuple[tf.Tensor, tf.Tensor],
        training: bool = False,
        groups: Groups = ALONE,
    ) -> tf.Tensor:
        """Images ``[B, H, W, D]`` float32 in [0, 1] from a latent ``[B, Z]`` and labels ``[B]``."""

        def active(norm: BatchNorm, values: tf.Tensor) -> tf.Tensor:
            return keras.ops.relu(norm(values, training=training, groups=groups))

        latent, labels = inputs
        label = keras.ops.one_hot(labels, self.classes, dtype=self.compute_dtype)
        hidden = keras.ops.concatenate([keras.ops.cast(latent, self.compute_dtype), label], axis=1)
        hidden = active(self.dense_norm, self.dense(hidden))
        hidden = active(self.project_norm, self.project(hidden))
        hidden = keras.ops.reshape(hidden, (-1, *self.grid, self.start_channels))
        for upsample, norm in zip(self.upsamplings[:-1], self.norms, strict=True):
            hidden = active(norm, upsample(hidden))
        logits = self.upsamplings[-1](hidden)
        if logits.shape[1:3] != self.image_shape[:2]:
            logits = logits[:, : self.image_shape[0], : self.image_shape[1]]
        return keras.ops.sigmoid(keras.ops.cast(logits, "float32"))

    def get_config(self) -> dict[str, object]:
        return {
            "image_shape": self.image_shape,
            "classes": self.classes,
            "latent_dim": self.latent_dim,
            "width": self.width,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
