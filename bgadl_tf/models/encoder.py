"""Encoder E: an example to the posterior over its latent, q(z | x) = N(mean, variance).

Both heads are linear. (The released code squeezes the image through one ReLU number and the
heads through a sigmoid, so that reconstructions can only be class means: methods, fault 6.)
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.spaces import space_of


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
    """The trunk of the example space, then two linear heads.

    Args:
        shape: Of an example: (H, W, D) or (F,).
        latent_dim: Z.
        width: Multiplies the paper's channel and unit counts (64 channels, 1024 units).
        classes: C, for a posterior q(z | x, y) given the label, too, which then enters one-hot
            beside what the trunk makes of x; 0 for q(z | x).
    """

    def __init__(
        self,
        shape: Shape,
        latent_dim: int = 100,
        width: float = 1.0,
        classes: int = 0,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.example_shape, self.latent_dim, self.width = tuple(shape), latent_dim, width
        self.classes = classes
        self.trunk = space_of(self.example_shape).trunk(width, 0.0, self.dtype_policy)
        self.mean_head, self.log_variance_head = (
            keras.layers.Dense(
                latent_dim,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
                dtype=self.dtype_policy,
            )
            for _ in range(2)
        )
        labels = keras.KerasTensor((None,), dtype="int32") if classes else None
        self(keras.KerasTensor((None, *self.example_shape)), labels=labels)

    def call(
        self,
        examples: tf.Tensor,
        training: bool = False,
        labels: tf.Tensor | None = None,
    ) -> Posterior:
        """The posterior of examples ``[B, *shape]``, images in [0, 1], of labels ``[B]``."""
        hidden = self.trunk(examples, training=training)
        if self.classes:
            label = keras.ops.one_hot(labels, self.classes, dtype=hidden.dtype)
            hidden = keras.ops.concatenate([hidden, label], axis=1)
        heads = self.mean_head(hidden), self.log_variance_head(hidden)
        return Posterior(*(keras.ops.cast(head, "float32") for head in heads))

    def get_config(self) -> dict[str, object]:
        return {
            "shape": self.example_shape,
            "latent_dim": self.latent_dim,
            "width": self.width,
            "classes": self.classes,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
