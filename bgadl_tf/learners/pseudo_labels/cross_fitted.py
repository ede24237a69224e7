"""Copies of a classifier of which each has never seen a part of the labelled examples.

Copy f learns from what is not in fold f and predicts what is: every labelled example has a
prediction by a classifier that did not learn from it, at every step of the training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from bgadl_tf.learners.previous import copy_weights
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead

LossOf: TypeAlias = Callable[[StochasticHead, tf.Tensor, tf.Tensor], tf.Tensor]
"""What a classifier minimises, ``[B]``, of its head, log-probabilities ``[B, C]`` and labels."""


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
        loss_of: LossOf,
        weights: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Mean over the examples of the losses that the copies are to learn from.

        Args:
            examples: ``[B, *shape]``, as C learns from them.
            labels: ``[B]``.
            folds: ``[B]``.
            training: Whether the trunks are trained.
            seed: ``[2]``, of the dropout masks.
            loss_of: C's own.
            weights: ``[B]``, how much each example counts; None for 1.

        Returns:
            Scalar: the sum over the copies, each the mean over what it may see.
        """
        total = tf.constant(0.0)
        for fold, (copy, features) in enumerate(self._features(examples, training)):
            masks = copy.head.example_masks(noise.fold(seed, fold), tf.shape(features)[0])
            log_probs = copy.head(features, masks=masks)
            seen = tf.cast(tf.not_equal(folds, fold), tf.float32)
            if weights is not None:
                seen *= tf.cast(weights, tf.float32)
            share = losses.global_mean(seen)
            error = losses.global_mean(seen * loss_of(copy.head, log_probs, labels))
            total += tf.math.divide_no_nan(error, losses.summed_over_replicas(share))
        return total

    def held_out(
        self,
        predict: Callable[[StochasticHead, tf.Tensor], tf.Tensor],
        examples: tf.Tensor,
        folds: tf.Tensor,
        trained: bool,
    ) -> tf.Tensor:
        """The prediction of each example by the copy that has not learnt from it.

        Args:
            predict: From a head and features ``[B, F]`` to probabilities ``[B, C]``.
            examples: ``[B, *shape]``, as they are.
            folds: ``[B]``.
            trained: Whether the trunks are trained.

        Returns:
            ``[B, C]``.
        """
        every = [
            predict(copy.head, features)
            for copy, features in self._features(examples, trained, as_in_training=False)
        ]
        return tf.gather(tf.stack(every, axis=1), folds, axis=1, batch_dims=1)

    def _features(
        self, examples: tf.Tensor, trained: bool, as_in_training: bool = True
    ) -> Iterator[tuple[Classifier, tf.Tensor]]:
        """Each copy and its features; computed once where no training tells the trunks apart."""
        first, *others = self.copies
        differ = trained and bool(first.trunk_variables)
        shared = first.features(examples, trained and as_in_training)
        yield first, shared
        for copy in others:
            yield copy, copy.features(examples, as_in_training) if differ else shared

    def get_config(self) -> dict[str, object]:
        serialise = keras.saving.serialize_keras_object
        return {"copies": [serialise(copy) for copy in self.copies], "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> CrossFitted:
        config = dict(config)
        restore = keras.saving.deserialize_keras_object
        copies = [restore(copy, custom_objects=custom_objects) for copy in config.pop("copies")]
        return cls(copies, **config)
