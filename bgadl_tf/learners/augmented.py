"""What learners share that learn from augmented examples beside the labelled ones.

With groups f_1, .., f_k of further examples, one of each labelled x in every group::

    C:  -log C(y | x)  - w/k [log C(y | f_1) + .. + log C(y | f_k)]

Of two groups that is the classifier's objective of ``vaeacgan`` with x' and x'' in their place: the
same number of further examples under the same weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import Learner, weighted
from bgadl_tf.learners.options import Options
from bgadl_tf.models import losses, noise

_GROUPS, _MASKS = 1, 2
"""Salts of what further examples are drawn with, and of C's dropout masks."""


@dataclass(frozen=True, kw_only=True)
class AugmentedOptions(Options):
    """How much further examples count.

    Args:
        further_weight: w, the weight of further examples, all groups together, against labelled
            ones; 1 as of the generated ones of ``vaeacgan``.
    """

    further_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.further_weight >= 0, "further_weight", "at least 0")


class AugmentedLearner(Learner):
    """Supervised learning on labelled examples and on further ones under the same labels.

    Every example, labelled or further, has a dropout mask of its own.
    """

    options_type: ClassVar[type[Options]] = AugmentedOptions
    options: AugmentedOptions
    terms = ("classification", "classification_further")

    def further_groups(self, batch: Batch, seed: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """Further examples by name of the group, at least one group.

        Args:
            batch: What C learns from.
            seed: ``[2]``, of whatever is drawn.

        Returns:
            ``[B, *shape]`` each, floats as the networks see them, one of each labelled example.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement further_groups()")

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = self.step_seed()
        batch = self.transformed(self.unpack(data), seed)
        further = [*self.further_groups(batch, noise.fold(seed, _GROUPS)).values()]
        seeds = [noise.fold(seed, _MASKS, number) for number in range(1 + len(further))]
        with tf.GradientTape() as tape:
            log_probs = self.classifier.train_on_groups([batch.examples, *further], seeds)
            real, *others = [
                weighted(losses.cross_entropy(of_group, batch.labels), batch)
                for of_group in log_probs
            ]
            beside = tf.add_n(others) / len(others)
            total = real + self.options.further_weight * beside
            loss = losses.global_mean(total)
        self.descend(tape, {"classifier": loss})
        terms = {"classification": real, "classification_further": beside}
        return self.track(terms, total, log_probs[0], batch)
