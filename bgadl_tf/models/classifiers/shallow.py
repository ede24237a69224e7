"""A linear classifier on one layer of features, such as an autoencoder learns."""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.mc_dropout import StochasticHead

FEATURES = 256
"""Units of the layer."""


@CLASSIFIERS.register("shallow")
@keras.saving.register_keras_serializable("bgadl_tf")
class Shallow(Classifier):
    """Dense 256 - ReLU as the trunk, one dense layer as the head; images are flattened.

    Unlike ``mlp``, which is all head, it has a trunk that can be prepared without labels and then
    kept. Without dropout unless a rate is asked for.
    """

    ranks = (1, 3)

    def __init__(
        self,
        shape: Shape,
        classes: int,
        dropout: float | None = None,
        **kw: object,
    ) -> None:
        super().__init__(shape, classes, dropout, **kw)
        policy = self.dtype_policy
        self.flatten = keras.layers.Flatten(dtype=policy)
        self.dense = keras.layers.Dense(
            FEATURES, activation="relu", kernel_initializer="he_normal", dtype=policy
        )
        self.head = StochasticHead(classes, (), self.rates(0.0), dtype=policy)
        self.build_for(shape)

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.dense(self.flatten(examples))
