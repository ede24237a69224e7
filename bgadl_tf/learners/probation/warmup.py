"""A learner of generated examples, whose weight grows as the generator learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation import evidence
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.learners.running_means import RunningMeans
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.spaces import Space

KINDS = ("steps", "evidence", "auto")


@dataclass(frozen=True, kw_only=True)
class WarmUpOptions(ProbationOptions):
    """How the weight of generated examples grows.

    Args:
        generated_weight: Weight of generated images, all groups together, against real ones in
            C's objective.
        warmup: What the weight grows by, from 0 to ``generated_weight``: ``steps``, see
            ``warmup_steps``; ``evidence`` that they are any good, see ``probation.evidence``;
            ``auto``, evidence of images, whose D is hard to deceive, and steps of vectors.
        warmup_steps: Steps of G before its images reach C; over as many again their weight grows
            from 0 to ``generated_weight``. What a new G makes is noise under a label. None for 500
            of images, 100 of vectors, whose networks are shallow.
    """

    generated_weight: float = 1.0
    warmup: str = "steps"
    warmup_steps: int | None = None

    by_space: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "images": {"warmup_steps": 500},
        "features": {"warmup_steps": 100},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.generated_weight >= 0, "generated_weight", "at least 0")
        self.require(self.warmup in KINDS, "warmup", f"one of {', '.join(KINDS)}")
        steps = self.warmup_steps
        self.require(steps is None or steps >= 0, "warmup_steps", "at least 0")

    def for_space(self, space: Space, before: Mapping[str, Any] | None = None) -> Self:
        chosen = super().for_space(space, before)
        if chosen.warmup != "auto":
            return chosen
        kind = "evidence" if space.name == "images" else "steps"
        return dataclasses.replace(chosen, warmup=kind)


class WarmUpLearner(ProbationLearner):
    """What learners of generated examples share; they have an optimizer ``generator``."""

    options_type: ClassVar[type[ProbationOptions]] = WarmUpOptions
    options: WarmUpOptions
    evidence_of: ClassVar[tuple[str, ...]] = evidence.MISTAKES
    """What its warm-up by evidence looks at."""

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        if self.looks_at_evidence:
            self.evidence = RunningMeans(self.evidence_of)

    @property
    def looks_at_evidence(self) -> bool:
        """Whether the warm-up is by evidence."""
        return self.options.warmup == "evidence"

    @property
    def on_probation(self) -> bool:
        return super().on_probation or self.looks_at_evidence

    @property
    def weight_names(self) -> tuple[str, ...]:
        return (*self.groups, "warmup") if self.on_probation else ()

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        more = {"evidence": self.evidence} if self.looks_at_evidence else {}
        return {**super().saved_networks, **more}

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        if self.looks_at_evidence:
            self.evidence.clear()

    def generated_weight(self) -> tf.Tensor:
        """Weight of generated images in C's objective at this step, scalar."""
        return self.options.generated_weight * self.warmup()

    def warmup(self) -> tf.Tensor:
        """How far the warm-up has come, scalar in [0, 1]."""
        if self.looks_at_evidence:
            return evidence.ramp(self.evidence)
        step = tf.cast(self.optimizers["generator"].iterations, tf.float32)
        warmup = max(1, self.options.warmup_steps or 0)
        return tf.clip_by_value((step - warmup) / warmup, 0.0, 1.0)

    def look_at(
        self,
        real: tf.Tensor,
        fakes: Mapping[str, tf.Tensor],
        error: tf.Tensor | None = None,
        of: list[tf.Tensor] | None = None,
    ) -> None:
        """Add a step to the evidence, where the warm-up is by evidence.

        Args:
            real: D's loss on real examples, ``[B]`` nats.
            fakes: D's loss on each group of generated ones, ``[B]``.
            error: |x - x'|^2 per example, ``[B]``, of a learner that reconstructs.
            of: The groups of x that it reconstructs, each ``[B, *shape]``.
        """
        if not self.looks_at_evidence:
            return
        found = {"mistakes": evidence.mistakes(real, fakes)}
        if error is not None and of is not None:
            found |= {"error": tf.reduce_mean(error), "spread": evidence.spread(tf.concat(of, 0))}
        self.evidence.add(found)
