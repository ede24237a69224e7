"""What can be seen of examples through a classifier; what no one looks at is not computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import tensorflow as tf

from bgadl_tf.models import predictive
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import Masks, Prepared
from bgadl_tf.models.predictive import Predictive


class Evidence:
    """One part of the examples inside a traced function.

    Args:
        examples: ``[n, *shape]`` as they are stored.
        classifier: Through which they are seen: the learner's, or that of the round before.
        learner: For what only it can do; see ``learners.abilities``.
        masks: The round's K consistent masks, ``[K, width]`` per stage of the head.
        kernels: ``classifier.head.prepared(masks)``, if it was made.
    """

    def __init__(
        self,
        examples: tf.Tensor,
        classifier: Classifier,
        learner: Any,
        masks: Masks,
        kernels: Prepared = None,
    ) -> None:
        self.examples, self.classifier, self.learner = examples, classifier, learner
        self._masks, self._kernels = masks, kernels

    @cached_property
    def inputs(self) -> tf.Tensor:
        """What networks see, float32 ``[n, *shape]``, images in [0, 1]."""
        return self.classifier.space.to_float(self.examples)

    @cached_property
    def features(self) -> tf.Tensor:
        """The trunk's, ``[n, F]``."""
        return self.classifier.features(self.inputs)

    @cached_property
    def penultimate(self) -> tf.Tensor:
        """What the last dense layer sees without dropout, float32 ``[n, P]``."""
        return tf.cast(self.classifier.head.penultimate(self.features), tf.float32)

    @cached_property
    def last_kernel(self) -> tf.Tensor:
        """Of the last dense layer, float32 ``[P, C]``; see ``learners.abilities.LinearHead``."""
        return self.classifier.head.last_kernel()

    @cached_property
    def log_probs(self) -> tf.Tensor:
        """Log-probabilities without dropout, float32 ``[n, C]``."""
        return self.classifier.head(self.features)

    @cached_property
    def passes(self) -> tf.Tensor:
        """Log-probabilities of K passes under the shared masks, float32 ``[K, n, C]``."""
        return self.classifier.head.mc_log_probs(self.features, self._masks, self._kernels)

    @cached_property
    def moments(self) -> Predictive:
        """Moments over the K passes, summed as they are made: never ``[K, n, C]``."""
        return predictive.predict(self.classifier.head, self.features, self._masks, self._kernels)


Look = Callable[[Evidence], tf.Tensor | tuple[tf.Tensor, ...]]
"""From evidence of n examples to one or several tensors ``[n, ...]``."""
