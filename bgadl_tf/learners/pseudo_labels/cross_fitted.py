"""Copies of a classifier of which each has never seen a part of the labelled examples.

Copy f learns from what is not in fold f and predicts what is: every labelled example has a
prediction by a classifier that did not learn from it, at every step of the training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.learners.previous import copy_weights
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier


@keras.saving.register_keras_serializable("bgadl_tf")
class CrossFitted(keras.Model):
    """F copies of a classifier.

    Args:
        copies: Of one kind.
    """

    def __init__(self, copies: list[Classifier], **kw: object) -> None:
        super().__init__(**kw)
        self.copies = copies
        self.built = True

    @classmethod
    def of(cls, classifier: Classifier, folds: int) -> CrossFitted:
        """Copies with the weights that the classifier has."""
        made = cls([type(classifier).from_config(classifier.get_config()) for _ in range(folds)])
        made.begin_as(classifier)
        return made

    def begin_as(self, classifier: Classifier) -> None:
        """Give every copy the weights of the classifier."""
        for copy in self.copies:
            copy_weights(classifier, copy)

    def objective(
        self,
        examples: tf.Tensor,
        labels: tf.Tensor,
        folds: tf.Tensor,
        training: bool,
        seed: tf.Tensor,
        weights: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Mean over the examples of the cross-entropies that the copies are to learn from.

        Args:
            examples: ``[B, *shape]``, as C learns from them.
            labels: ``[B]``.
            folds: ``[B]``.
            training: Whether the trunks are trained.
            seed: ``[2]``, of the dropout masks.
            weights: ``[B]``, how much each example counts; None for 1.

        Returns:
            Scalar: the sum over the copies, each the mean over what it may see.
        """
        total = tf.constant(0.0)
        for fold, copy in enumerate(self.copies):
            log_probs = copy(examples, training=training, seed=noise.fold(seed, fold))
            seen = tf.cast(tf.not_equal(folds, fold), tf.float32)
            if weights is not None:
                seen *= tf.cast(weights, tf.float32)
            share = losses.global_mean(seen)
            error = losses.global_mean(seen * losses.cross_entropy(log_probs, labels))
            total += tf.math.divide_no_nan(error, losses.summed_over_replicas(share))
        return total

    def held_out(self, predict: Callable[[Classifier], tf.Tensor], folds: tf.Tensor) -> tf.Tensor:
        """The prediction of each example by the copy that has not learnt from it.

        Args:
            predict: From a classifier to probabilities ``[B, C]`` of the examples.
            folds: ``[B]``.

        Returns:
            ``[B, C]``.
        """
        every = tf.stack([predict(copy) for copy in self.copies], axis=1)
        return tf.gather(every, folds, axis=1, batch_dims=1)

    def get_config(self) -> dict[str, object]:
        serialise = keras.saving.serialize_keras_object
        return {"copies": [serialise(copy) for copy in self.copies], "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> CrossFitted:
        config = dict(config)
        restore = keras.saving.deserialize_keras_object
        copies = [restore(copy, custom_objects=custom_objects) for copy in config.pop("copies")]
        return cls(copies, **config)
