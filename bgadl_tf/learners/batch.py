"""What a training step is given."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Guess(NamedTuple):
    """What C makes of the unlabelled examples of a batch; see ``pseudo_labels``.

    Fields:
        targets: ``[B, C]`` probabilities.
        weights: ``[B]`` in [0, 1], 0 where C is not sure enough.
        folds: ``[B]``, of the labelled examples.
    """

    targets: tf.Tensor
    weights: tf.Tensor
    folds: tf.Tensor


class Batch(NamedTuple):
    """One replica's share of a batch: labelled examples, and perhaps others of the pool.

    Fields:
        examples: ``[B, *shape]`` as they are stored, or images as floats in [0, 1].
        labels: ``[B]`` class indices; -1 throughout where a stage trains without labels.
        unlabelled: ``[B, *shape]`` examples of the pool, for learners that use them.
        weights: ``[B]``, of each labelled example in the classifier's loss; None for 1.
        views: ``[B, V, *shape]`` label-preserving views of the labelled examples, stored beside
            them, for learners that use them.
        unlabelled_views: ``[B, V, *shape]``, the same of the unlabelled examples.
        emphasis: ``[B]`` weights, 1 on average over the labelled set, of what is generated of each
            labelled example; None for 1.
        labelled_size: How many labelled examples there are in all, scalar int64; None: unknown.
        guess: What C makes of the unlabelled examples, where it learns from them.
        transformed: ``[B, *shape]``, the labelled examples transformed, where C sees both.
        forms: Further forms of the labelled examples, each ``[B, *shape]``; see
            ``Options.batch_augmentation``.
    """

    examples: tf.Tensor
    labels: tf.Tensor
    unlabelled: tf.Tensor | None = None
    weights: tf.Tensor | None = None
    views: tf.Tensor | None = None
    unlabelled_views: tf.Tensor | None = None
    emphasis: tf.Tensor | None = None
    labelled_size: tf.Tensor | None = None
    guess: Guess | None = None
    transformed: tf.Tensor | None = None
    forms: tuple[tf.Tensor, ...] = ()

    @classmethod
    def of(cls, data: Any) -> Batch:
        """From what ``keras.Model.fit`` hands to ``train_step``: (x, y) or (x, y, sample_weight).

        Raises:
            ValueError: There are no labels.
        """
        if isinstance(data, cls):
            return data
        examples, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if labels is None:
            raise ValueError("there are no labels; expected (x, y) or (x, y, sample_weight)")
        return cls(examples, labels, weights=weights)
