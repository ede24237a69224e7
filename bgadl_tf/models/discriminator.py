"""Discriminator D: is an image from the data or from the generator?"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.models.blocks import Downsampling, scaled
from bgadl_tf.models.groups import ALONE, Groups


@keras.saving.register_keras_serializable("bgadl_tf")
class Discriminator(keras.Model):
    """Stride-2 convolutions with leaky ReLU (slope 0.2), one dense layer, one logit.

    Args:
        image_shape: (H, W, D).
        width: Multiplies the paper's channel and unit counts.
    """

    def __init__(self, image_shape: ImageShape, width: float = 1.0, **kw: object) -> None:
        super().__init__(**kw)
        self.image_shape, self.width = image_shape, width
        self.trunk = Downsampling(
            image_shape, scaled(64, width), scaled(1024, width), 0.2, dtype=self.dtype_policy
        )
        self.logit = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
        )
        self(keras.KerasTensor((None, *image_shape)))

    def call(self, images: tf.Tensor, training: bool = False, groups: Groups = ALONE) -> tf.Tensor:
        """Logits ``[B]`` float32, positive for "real", of images ``[B, H, W, D]`` in [0, 1]."""
        logit = self.logit(self.trunk(images, training=training, groups=groups))
        return keras.ops.cast(keras.ops.squeeze(logit, axis=1), "float32")

    def get_config(self) -> dict[str, object]:
        return {
            "image_shape": self.image_shape,
            "width": self.width,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
