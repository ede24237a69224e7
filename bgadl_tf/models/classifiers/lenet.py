"""LeNet-5 (LeCun et al. 1998) with ReLU and max-pooling, and with dropout before every dense layer.

Without dropout every MC pass is the same and BALD is exactly 0, so ours has it by default.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


@CLASSIFIERS.register("lenet")
@keras.saving.register_keras_serializable("bgadl_tf")
class LeNet(Classifier):
    """6 and 16 5x5 kernels (the first padded), each pooled; dense 120 and 84."""

    def __init__(
        self,
        shape: Shape,
        classes: int,
        dropout: float | None = None,
        **kw: object,
    ) -> None:
        super().__init__(shape, classes, dropout, **kw)
        policy = self.dtype_policy
        # Below 12 pixels an unpadded 5x5 kernel no longer fits behind the first pooling.
        second = "valid" if min(shape[:2]) >= 12 else "same"
        self.convolutions = [
            keras.layers.Conv2D(
                kernels,
                5,
                padding=padding,
                activation="relu",
                kernel_initializer="he_normal",
                dtype=policy,
            )
            for kernels, padding in ((6, "same"), (16, second))
        ]
        self.pool = keras.layers.MaxPooling2D(2, dtype=policy)
        self.flatten = keras.layers.Flatten(dtype=policy)
        self.head = StochasticHead(classes, (120, 84), self.rates(0.25, 0.5, 0.5), dtype=policy)
        self.build_for(shape)

    def features(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        hidden = images
        for convolution in self.convolutions:
            hidden = self.pool(convolution(hidden))
        return self.flatten(hidden)
