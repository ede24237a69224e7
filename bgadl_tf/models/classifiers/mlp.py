"""A multi-layer perceptron for vectors: dropout - Dense 256 - ReLU - dropout - Dense C."""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


@CLASSIFIERS.register("mlp")
@keras.saving.register_keras_serializable("bgadl_tf")
class MLP(Classifier):
    """All of it is the stochastic head; images are flattened."""

    ranks = (1, 3)

    def __init__(
        self,
        shape: Shape,
        classes: int,
        dropout: float | None = None,
        **kw: object,
    ) -> None:
        super().__init__(shape, classes, dropout, **kw)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy)
        self.head = StochasticHead(classes, (256,), self.rates(0.5, 0.5), dtype=self.dtype_policy)
        self.build_for(shape)

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.flatten(keras.ops.cast(examples, self.compute_dtype))
