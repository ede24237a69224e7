"""Encoder E: an image to the posterior over its latent, q(z | x) = N(mean, variance).

Both heads are linear. (The released code squeezes the image through one ReLU number and the
heads through a sigmoid, so that reconstructions can only be class means: methods, fault 6.)
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.models.blocks import Downsampling, scaled


class Posterior(NamedTuple):
    """A diagonal Gaussian over latents.

    Attributes:
        mean: ``[B, Z]`` float32.
        log_variance: ``[B, Z]`` float32.
    """

    mean: tf.Tensor
    log_variance: tf.Tensor

    def sample(self, noise: tf.Tensor) -> tf.Tensor:
        """Reparameterised draw, ``[B, Z]``, from standard normal noise ``[B, Z]``."""
        return self.mean + tf.exp(0.5 * self.log_variance) * noise


@keras.saving.register_keras_serializable("bgadl_tf")
class Encoder(keras.Model):
    """Stride-2 convolutions, one dense layer, two linear heads.

    Args:
        image_shape: (H, W, D).
        latent_dim: Z.
        width: Multiplies the paper's channel and unit counts (64 channels, 1024 units).
    """

    def __init__(
        self,
        image_shape: ImageShape,
        latent_dim: int = 100,
        width: float = 1.0,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.image_shape, self.latent_dim, self.width = image_shape, latent_dim, width
        self.trunk = Downsampling(
            image_shape, scaled(64, width), scaled(1024, width), 0.0, dtype=self.dtype_policy
        )
        self.mean_head, self.log_variance_head = (
            keras.layers.Dense(
                latent_dim,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
                dtype=self.dtype_policy,
            )
            for _ in range(2)
        )
        self(keras.KerasTensor((None, *image_shape)))

    def call(self, images: tf.Tensor, training: bool = False) -> Posterior:
        """The posterior of images ``[B, H, W, D]`` in [0, 1]."""
        hidden = self.trunk(images, training=training)
        heads = self.mean_head(hidden), self.log_variance_head(hidden)
        return Posterior(*(keras.ops.cast(head, "float32") for head in heads))

    def get_config(self) -> dict[str, object]:
        return {
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "width": self.width,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
