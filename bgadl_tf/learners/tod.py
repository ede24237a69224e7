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
from bgadl_tf.learners.learner import LEARNERS, weighted
from bgadl_tf.learners.probation.groups import counting
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.models import losses, noise


@dataclass(frozen=True, kw_only=True)
class TODOptions(ProbationOptions):
    """How strongly C is tied to its teacher, which is also the one that ``judge`` may name.

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
class TOD(ProbationLearner):
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

    @property
    def uses_unlabelled(self) -> bool:
        return True

    @property
    def teacher_memory(self) -> float:
        return self.options.ema

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = self.step_seed()
        batch = self.transformed(self.unpack(data), seed)
        groups = [batch.examples, *(() if batch.unlabelled is None else (batch.unlabelled,))]
        further = self.beside(batch)
        every = [*groups, *further.values()]
        seeds = [noise.fold(seed, number) for number in range(len(every))]
        targets = [centred(self.teacher(group)) for group in groups]
        agreed = self.agree(further, batch.labels, noise.fold(seed, len(every)))
        with tf.GradientTape(persistent=True) as tape:
            log_probs = self.classifier.train_on_groups(every, seeds)
            classification = weighted(losses.cross_entropy(log_probs[0], batch.labels), batch)
            errors = [
                tf.reduce_mean(tf.square(centred(student) - target), axis=1)
                for student, target in zip(log_probs, targets, strict=False)
            ]
            errors[0] = weighted(errors[0], batch)
            consistency = tf.add_n(errors) / len(errors)
            of_transformed = {
                name: self.term_of(name, found, batch)
                for name, found in zip(further, log_probs[len(groups) :], strict=True)
            }
            real = classification + self.options.unlabelled_weight * consistency
            counted = counting({"real": real, **of_transformed}, agreed)
            factors = self.group_factors()
            parts, total = self.parts(counted, factors), self.per_example(counted, factors)
            loss = losses.global_mean(total)
        shares = self.descend(tape, {"classifier": loss}, parts)
        self.finish_step(agreed, shares, batch, seed)
        terms = {"classification": classification, "consistency": consistency}
        terms |= {f"classification_{name}": term for name, term in of_transformed.items()}
        return self.track(terms, total, log_probs[0], batch)


def centred(log_probs: tf.Tensor) -> tf.Tensor:
    """Logits ``[B, C]`` less their mean over the classes, from log-probabilities ``[B, C]``."""
    return log_probs - tf.reduce_mean(log_probs, axis=1, keepdims=True)
