"""The learner of TOD: unlabelled examples are to look to C as they do to its running average.

Huang, Wang, Xiong, Huang and Dou, "Semi-Supervised Active Learning with Temporal Output
Discrepancy" (ICCV 2021). With the labelled x and the unlabelled u of a batch, and a teacher T whose
weights are the exponential moving average of C's::

    C:  -log C(y | x)  + w mean over x and u of |c(x) - t(x)|^2 / C
    T:  weights <- ema weights + (1 - ema) weights of C

c and t are logits less their mean over the classes, which is all of the logits that a softmax sees.
The released code ties C to T through a second head instead; that is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.learner import LEARNERS, Learner, weighted
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.previous import copy_weights
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier


@dataclass(frozen=True, kw_only=True)
class TODOptions(Options):
    """How strongly C is tied to its teacher; a learner's options extend ``Options``.

    Args:
        unlabelled_weight: w; 0 is plain supervised learning. The paper's are 0.005 to 0.05.
        ema: Share of its weights that the teacher keeps at a step. It remembers 1 / (1 - ema)
            steps; in a round of fewer it stays near to the initial weights.
    """

    unlabelled_weight: float = 0.05
    ema: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unlabelled_weight < 0:
            raise ConfigError(
                f"--option unlabelled_weight is {self.unlabelled_weight}; must be at least 0"
            )
        if not 0 <= self.ema < 1:
            raise ConfigError(f"--option ema is {self.ema}; it must be in [0, 1)")


@LEARNERS.register("tod")
@keras.saving.register_keras_serializable("bgadl_tf")
class TOD(Learner):
    """Supervised learning, and consistency with a teacher that is saved but not trained.

    The teacher has C's initial weights and goes back to them whenever C does. It predicts without
    dropout, BatchNorm in inference mode; moving statistics are averaged like weights. Batches
    without unlabelled examples, as ``fit`` hands them over, are consistent on the labelled ones.

    Args:
        classifier: C; the teacher is a copy of it.
        options: The learner's settings.
    """

    options_type = TODOptions
    options: TODOptions
    terms = ("classification", "consistency")

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        self.teacher = type(classifier).from_config(classifier.get_config())
        self.teacher.trainable = False
        copy_weights(classifier, self.teacher)

    @property
    def uses_unlabelled(self) -> bool:
        return True

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        return {**super().saved_networks, "teacher": self.teacher}

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        return () if warm_start else ("classifier", "teacher")

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        copy_weights(self.classifier, self.teacher)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = self.step_seed()
        batch = self.transformed(self.unpack(data), seed)
        groups = [batch.examples, *(() if batch.unlabelled is None else (batch.unlabelled,))]
        seeds = [noise.fold(seed, number) for number in range(len(groups))]
        targets = [centred(self.teacher(group)) for group in groups]
        with tf.GradientTape() as tape:
            log_probs = self.classifier.train_on_groups(groups, seeds)
            classification = weighted(losses.cross_entropy(log_probs[0], batch.labels), batch)
            errors = [
                tf.reduce_mean(tf.square(centred(student) - target), axis=1)
                for student, target in zip(log_probs, targets, strict=True)
            ]
            errors[0] = weighted(errors[0], batch)
            consistency = tf.add_n(errors) / len(errors)
            total = classification + self.options.unlabelled_weight * consistency
            loss = losses.global_mean(total)
        self.descend(tape, {"classifier": loss})
        tf.distribute.get_replica_context().merge_call(self._follow)
        terms = {"classification": classification, "consistency": consistency}
        return self.track(terms, total, log_probs[0], batch)

    def _follow(self, strategy: tf.distribute.Strategy) -> None:
        """Move the teacher's weights towards the classifier's, on every replica."""

        def move(average: tf.Variable, weight: tf.Tensor) -> None:
            if average.dtype.is_floating:
                average.assign_sub((1.0 - self.options.ema) * (average - weight))
            else:
                average.assign(weight)

        for mine, theirs in zip(self.teacher.weights, self.classifier.weights, strict=True):
            strategy.extended.update(mine.value, move, args=(theirs.value,))


def centred(log_probs: tf.Tensor) -> tf.Tensor:
    """Logits ``[B, C]`` less their mean over the classes, from log-probabilities ``[B, C]``."""
    return log_probs - tf.reduce_mean(log_probs, axis=1, keepdims=True)
