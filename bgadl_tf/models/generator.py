"""Generator G, which is also the decoder of the VAE: a latent and a label to an example.

x' = G(z, y): z from the encoder of x* gives the paper's x', z from N(0, I) a new example.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.batch_norm import BatchNorm
from bgadl_tf.models.groups import ALONE, Groups
from bgadl_tf.models.spaces import space_of


@keras.saving.register_keras_serializable("bgadl_tf")
class Generator(keras.Model):
    """Latent and label through a dense layer, then the decoder of the example space.

    Args:
        shape: Of an example: (H, W, D) or (F,).
        classes: C; the label enters one-hot, beside the latent.
        latent_dim: Z.
        width: Multiplies the paper's channel and unit counts.
    """

    def __init__(
        self,
        shape: Shape,
        classes: int,
        latent_dim: int = 100,
        width: float = 1.0,
        **kw: object,
    ) -> None:
        super().__init__(**kw)
        self.example_shape, self.classes = tuple(shape), classes
        self.latent_dim, self.width = latent_dim, width
        space, policy = space_of(self.example_shape), self.dtype_policy
        self.dense = keras.layers.Dense(
            space.hidden_units(width),
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=policy,
        )
        self.dense_norm = BatchNorm(dtype=policy)
        self.decoder = space.decoder(width, policy)
        self([keras.KerasTensor((None, latent_dim)), keras.KerasTensor((None,), dtype="int32")])

    def call(
        self,
        inputs: tuple[tf.Tensor, tf.Tensor],
        training: bool = False,
        groups: Groups = ALONE,
    ) -> tf.Tensor:
        """Examples ``[B, *shape]`` float32, images in [0, 1].

        Args:
            inputs: Latents ``[B, Z]`` and labels ``[B]``.
            training: Whether BatchNorm uses the statistics of the batch.
            groups: Groups of the batch that BatchNorm sees apart.
        """
        latent, labels = inputs
        label = keras.ops.one_hot(labels, self.classes, dtype=self.compute_dtype)
        hidden = keras.ops.concatenate([keras.ops.cast(latent, self.compute_dtype), label], axis=1)
        hidden = self.dense_norm(self.dense(hidden), training=training, groups=groups)
        return self.decoder(keras.ops.relu(hidden), training=training, groups=groups)

    def get_config(self) -> dict[str, object]:
        return {
            "shape": self.example_shape,
            "classes": self.classes,
            "latent_dim": self.latent_dim,
            "width": self.width,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
