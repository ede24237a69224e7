"""A prior over latents for every class: z ~ N(m_y, I), the means being learned."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("bgadl_tf")
class ClassPrior(keras.Model):
    """The means m_y; zero at first, when the prior of every class is N(0, I).

    Args:
        classes: C.
        latent_dim: Z.
    """

    def __init__(self, classes: int, latent_dim: int, **kw: object) -> None:
        super().__init__(**kw)
        self.classes, self.latent_dim = classes, latent_dim
        self.means = keras.layers.Dense(
            latent_dim, use_bias=False, kernel_initializer="zeros", dtype="float32"
        )
        self(keras.KerasTensor((None,), dtype="int32"))

    def call(self, labels: tf.Tensor, training: bool = False) -> tf.Tensor:
        """m_y, float32 ``[B, Z]``, of labels ``[B]``."""
        return self.means(keras.ops.one_hot(labels, self.classes, dtype="float32"))

    def get_config(self) -> dict[str, object]:
        return {"classes": self.classes, "latent_dim": self.latent_dim, "name": self.name}
