"""A classifier and its teacher: an exponential moving average of its weights, saved, not trained.

Tarvainen and Valpola, "Mean teachers are better role models" (NIPS 2017), equation 1:
weights of T <- memory weights of T + (1 - memory) weights of C.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.previous import copy_weights
from bgadl_tf.models.classifiers.base import Classifier


class TaughtLearner(Learner):
    """A learner that may keep a teacher.

    The teacher has the weights that C begins from, prepared ones where there is a pretext, and goes
    back to them whenever C does. It predicts without
    dropout, BatchNorm in inference mode; moving statistics are averaged like weights.

    Args:
        classifier: C; the teacher is a copy of it.
        options: The learner's settings.
    """

    teacher: Classifier

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        if self.teacher_memory is not None:
            self.teacher = type(classifier).from_config(classifier.get_config())
            self.teacher.trainable = False
            copy_weights(classifier, self.teacher)

    @property
    def teacher_memory(self) -> float | None:
        """Share of its weights that the teacher keeps at a step; None: there is no teacher."""
        return None

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        teacher = {} if self.teacher_memory is None else {"teacher": self.teacher}
        return {**super().saved_networks, **teacher}

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        kept = self.teacher_memory is not None and not warm_start
        return super().resets(warm_start) + (("teacher",) if kept else ())

    def classifier_begins(self) -> None:
        super().classifier_begins()
        if self.teacher_memory is not None:
            copy_weights(self.classifier, self.teacher)

    def teacher_follows(self) -> None:
        """Move the teacher, if there is one, towards the classifier; once a step, after it."""
        if self.teacher_memory is not None:
            tf.distribute.get_replica_context().merge_call(self._follow)

    def _follow(self, strategy: tf.distribute.Strategy) -> None:
        """On every replica."""
        memory = self.teacher_memory
        assert memory is not None

        def move(average: tf.Variable, weight: tf.Tensor) -> None:
            if average.dtype.is_floating:
                average.assign_sub((1.0 - memory) * (average - weight))
            else:
                average.assign(weight)

        for mine, theirs in zip(self.teacher.weights, self.classifier.weights, strict=True):
            strategy.extended.update(mine.value, move, args=(theirs.value,))
