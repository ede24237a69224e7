"""Discriminator D: is an example from the data or from the generator?"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.groups import ALONE, Groups
from bgadl_tf.models.spaces import space_of


@keras.saving.register_keras_serializable("bgadl_tf")
class Discriminator(keras.Model):
    """The trunk of the example space with leaky ReLU (slope 0.2), then one logit.

    Args:
        shape: Of an example: (H, W, D) or (F,).
        width: Multiplies the paper's channel and unit counts.
    """

    def __init__(self, shape: Shape, width: float = 1.0, **kw: object) -> None:
        super().__init__(**kw)
        self.example_shape, self.width = tuple(shape), width
        self.trunk = space_of(self.example_shape).trunk(width, 0.2, self.dtype_policy)
        self.logit = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
        )
        self(keras.KerasTensor((None, *self.example_shape)))

    def call(
        self, examples: tf.Tensor, training: bool = False, groups: Groups = ALONE
    ) -> tf.Tensor:
        """Logits ``[B]`` float32, positive for "real", of examples ``[B, *shape]``."""
        logit = self.logit(self.trunk(examples, training=training, groups=groups))
        return keras.ops.cast(keras.ops.squeeze(logit, axis=1), "float32")

    def hidden(self, examples: tf.Tensor) -> tf.Tensor:
        """Hidden features of examples ``[B, *shape]``, as at inference, in which to compare them.

        Those of the last convolution and not of the dense layer behind it, which no longer tells
        where something is; of vectors, those of the only hidden layer. BatchNorm takes its moving
        statistics: by those of their own batches, examples that are all too bright would look
        like those that are not.

        Returns:
            ``[B, ...]`` float32.
        """
        return keras.ops.cast(self.trunk.maps(examples), "float32")

    def get_config(self) -> dict[str, object]:
        return {
            "shape": self.example_shape,
            "width": self.width,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
