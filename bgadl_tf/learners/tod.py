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
from bgadl_tf.learners.probation.groups import REAL, counting, forms_of, named_terms
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
        batch = self.prepared(self.unpack(data), seed)
        targeted = {REAL: batch.examples}
        if batch.unlabelled is not None:
            targeted["unlabelled"] = batch.unlabelled
        further = self.beside(batch)
        every = {**targeted, **forms_of(batch), **further}
        targets = {group: centred(self.teacher(own)) for group, own in targeted.items()}
        agreed = self.agree(further, batch.labels, noise.fold(seed, len(every)))
        with tf.GradientTape(persistent=True) as tape:
            log_probs = self.classify(every, seed)
            errors = {
                group: tf.reduce_mean(tf.square(centred(log_probs[group]) - target), axis=1)
                for group, target in targets.items()
            }
            errors[REAL] = weighted(errors[REAL], batch)
            consistency = tf.add_n([*errors.values()]) / len(errors)
            labelled = {g: own for g, own in log_probs.items() if g != "unlabelled"}
            terms = self.terms_of_groups(labelled, batch)
            consistent = terms[REAL] + self.options.unlabelled_weight * consistency
            counted = counting({**terms, REAL: consistent}, agreed)
            factors = self.group_factors()
            parts, total = self.parts(counted, factors), self.per_example(counted, factors)
            loss = losses.global_mean(total)
        shares = self.descend(tape, {"classifier": loss}, parts)
        self.finish_step(agreed, shares, batch, seed)
        tracked = {**named_terms(terms), "consistency": consistency}
        return self.track(tracked, total, log_probs[REAL], batch)


def centred(log_probs: tf.Tensor) -> tf.Tensor:
    """Logits ``[B, C]`` less their mean over the classes, from log-probabilities ``[B, C]``."""
    return log_probs - tf.reduce_mean(log_probs, axis=1, keepdims=True)
