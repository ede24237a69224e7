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
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.networks import Networks
from bgadl_tf.learners.optimizers import make_optimizer
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
class SparseCoding(Networks):
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

    def __init__(
        self,
        classifier: Classifier,
        dictionary: Dictionary,
        *,
        sparsity: float,
        learning_rate: float,
        **kw: Any,
    ) -> None:
        super().__init__(**kw)
        self.classifier, self.dictionary = classifier, dictionary
        self.sparsity, self._rate = sparsity, learning_rate
        names = "reconstruction", "length", "active"
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"classifier": self.classifier, "dictionary": self.dictionary}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    @property
    def learning_rate(self) -> float:
        return self._rate

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {name: make_optimizer("adam", self._rate) for name in self.networks}

    def trained_variables(self, name: str) -> list[keras.Variable]:
        if name == "classifier":
            return self.classifier.trunk_variables
        return super().trained_variables(name)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step on a ``Batch``, or on what ``fit`` hands it; no label is looked at."""
        x = (
            data.examples
            if isinstance(data, Batch)
            else keras.utils.unpack_x_y_sample_weight(data)[0]
        )
        examples = self.classifier.space.to_float(tf.convert_to_tensor(x))
        with tf.GradientTape() as tape:
            codes = tf.cast(self.classifier.features(examples, training=True), tf.float32)
            error = losses.reconstruction(examples, self.dictionary(codes))
            length = tf.reduce_sum(tf.abs(codes), 1)
            loss = losses.global_mean(error + self.sparsity * length)
        self.descend(tape, dict.fromkeys(self.networks, loss))
        self.trackers["reconstruction"].update_state(error)
        self.trackers["length"].update_state(length)
        self.trackers["active"].update_state(tf.cast(tf.not_equal(codes, 0.0), tf.float32))
        return {metric.name: metric.result() for metric in self.metrics}
