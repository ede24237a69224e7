"""The small CNN of Gal, Islam and Ghahramani, "Deep Bayesian Active Learning" (ICML 2017).

Conv32 4x4 - ReLU - Conv32 4x4 - ReLU - MaxPool 2 - dropout .25 - Dense 128 - ReLU -
dropout .5 - Dense C, without padding (below 16 pixels a side, with).
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


@CLASSIFIERS.register("gal_cnn")
@keras.saving.register_keras_serializable("bgadl_tf")
class GalCNN(Classifier):
    """Two convolutions, one hidden dense layer, dropout before both dense layers."""

    def __init__(
        self,
        shape: Shape,
        classes: int,
        dropout: float | None = None,
        **kw: object,
    ) -> None:
        super().__init__(shape, classes, dropout, **kw)
        policy = self.dtype_policy
        # Two unpadded 4x4 convolutions would leave 2x2 of an 8x8 image.
        padding = "valid" if min(shape[:2]) >= 16 else "same"
        self.convolutions = [
            keras.layers.Conv2D(
                32,
                4,
                padding=padding,
                activation="relu",
                kernel_initializer="he_normal",
                dtype=policy,
            )
            for _ in range(2)
        ]
        self.pool = keras.layers.MaxPooling2D(2, dtype=policy)
        self.flatten = keras.layers.Flatten(dtype=policy)
        self.head = StochasticHead(classes, (128,), self.rates(0.25, 0.5), dtype=policy)
        self.build_for(shape)

    def features(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        hidden = images
        for convolution in self.convolutions:
            hidden = convolution(hidden)
        return self.flatten(self.pool(hidden))
