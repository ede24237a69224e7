"""A linear classifier: the values of an example, and one dense layer on them.

Under learner ``svm`` it is the linear support vector machine of GAAL (Zhu and Bento 2017).
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


@CLASSIFIERS.register("linear")
@keras.saving.register_keras_serializable("bgadl_tf")
class Linear(Classifier):
    """Flattened, pixels in [0, 1]; without dropout unless a rate is asked for.

    There is no trunk: what the last layer sees is the example itself, so that distances to decision
    boundaries are in pixels.
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
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy)
        self.head = StochasticHead(classes, (), self.rates(0.0), dtype=self.dtype_policy)
        self.build_for(shape)

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.flatten(keras.ops.cast(examples, self.compute_dtype))
