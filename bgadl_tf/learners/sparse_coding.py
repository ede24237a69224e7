"""Sparse coding of examples by a network: a pretext task that needs no label.

With f = trunk(x), at least 0 in a trunk that ends in ReLU, and atoms d_j of length 1::

    |x - b - sum over j of f_j d_j|^2  +  sparsity |f|_1

Olshausen and Field, "Emergence of simple-cell receptive field properties by learning a sparse code
for natural images" (Nature 1996), whose objective Raina et al. 2007 take. There every code is found
by an optimisation of its own; here the trunk is trained to give it, so that a new example costs one
pass and gradients flow through it.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.learners.task import PretextTask
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import Classifier


@keras.saving.register_keras_serializable("bgadl_tf")
class Dictionary(keras.Model):
    """The atoms d_j, and b.

    Args:
        features: F, how many atoms there are.
        shape: Of an example.
    """

    def __init__(self, features: int, shape: Shape, **kw: object) -> None:
        super().__init__(**kw)
        self.features, self.example_shape = features, tuple(shape)
        self.dense = keras.layers.Dense(
            math.prod(shape), kernel_initializer="he_normal", dtype="float32"
        )
        self.dense.build((None, features))
        self(keras.KerasTensor((None, features)))

    def call(self, codes: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Examples ``[B, *shape]`` float32 of codes ``[B, F]``."""
        # Were the length of an atom free, codes could be as small as one likes.
        atoms = keras.ops.normalize(self.dense.kernel, axis=1)
        made = keras.ops.matmul(keras.ops.cast(codes, "float32"), atoms) + self.dense.bias
        return keras.ops.reshape(made, (-1, *self.example_shape))

    def get_config(self) -> dict[str, object]:
        return {"features": self.features, "shape": self.example_shape, "name": self.name}


@keras.saving.register_keras_serializable("bgadl_tf")
class SparseCoding(PretextTask):
    """Trains the trunk of a classifier and a dictionary; never the classifier's head.

    Its metrics are ``reconstruction``, squared units of a value, ``length``, |f|_1, and ``active``,
    the share of the features that are not 0.

    Args:
        classifier: Whose trunk is trained.
        dictionary: Takes its features.
        sparsity: Weight of |f|_1.
        learning_rate: Of Adam.
    """

    main = "dictionary"
    terms = ("reconstruction", "length", "active")

    def __init__(
        self,
        classifier: Classifier,
        dictionary: Dictionary,
        *,
        sparsity: float,
        learning_rate: float,
        **kw: Any,
    ) -> None:
        super().__init__(classifier, learning_rate, **kw)
        self.dictionary, self.sparsity = dictionary, sparsity
        self.built = True

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"classifier": self.classifier, "dictionary": self.dictionary}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step on a ``Batch``, or on what ``fit`` hands it; no label is looked at."""
        examples = self.inputs_of(data)
        with tf.GradientTape() as tape:
            codes = tf.cast(self.classifier.features(examples, training=True), tf.float32)
            error = losses.reconstruction(examples, self.dictionary(codes))
            length = tf.reduce_sum(tf.abs(codes), 1)
            loss = losses.global_mean(error + self.sparsity * length)
        self.descend(tape, dict.fromkeys(self.networks, loss))
        active = tf.cast(tf.not_equal(codes, 0.0), tf.float32)
        return self.report({"reconstruction": error, "length": length, "active": active})
