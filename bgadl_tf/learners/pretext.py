"""Learners whose trunk is prepared by a pretext task on the whole pool, before any label is used.

What the trunk is after the task, every round begins from; the rounds train the head on it, or all
of the classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.learners.stage import Stage
from bgadl_tf.learners.task import PretextTask
from bgadl_tf.models.classifiers.base import Classifier


@dataclass(frozen=True, kw_only=True)
class PretextOptions(ProbationOptions):
    """How long the trunk is prepared, and whether it stays so.

    Args:
        freeze: Train the head alone in every round; if not, all of the classifier, its trunk
            beginning from the prepared one.
        pretext_steps: Gradient steps before round 0, on batches as large as those of a round.
        pretext_learning_rate: Of the task's optimizer.
    """

    freeze: bool = True
    pretext_steps: int = 1000
    pretext_learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.pretext_steps >= 1, "pretext_steps", "at least 1")
        self.require(self.pretext_learning_rate > 0, "pretext_learning_rate", "positive")


class PretextLearner(ProbationLearner):
    """Has a ``pretext``, which its constructor sets with ``prepare_by``."""

    options: PretextOptions
    pretext: PretextTask

    def prepare_by(self, task: PretextTask) -> None:
        """Set the task; it holds the same classifier, which Keras is to save once."""
        self._keep("pretext", task)

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        return {**self.pretext.networks, **super().saved_networks}

    @property
    def saved_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        pretext = {f"pretext_{name}": one for name, one in self.pretext.optimizers.items()}
        return {**super().saved_optimizers, **pretext}

    def compile(self, optimizer: Any = None, **kw: Any) -> None:
        """Attach optimizers; those of the pretext task are as its options say."""
        super().compile(optimizer, **kw)
        self.pretext.compile()

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        self.pretext.draw(seed_of)

    def stages(self, round_: int, warm_start: bool = False) -> Sequence[Stage]:
        training = super().stages(round_, warm_start)
        if round_:
            return training
        pretext = Stage(
            "pretext",
            self.pretext,
            self.pretext.noise_seed,
            steps=self.options.pretext_steps,
            uses_labels=False,
            becomes_initial=True,
        )
        return [pretext, *training]

    @property
    def trains_trunk(self) -> bool:
        return not self.options.freeze


def check_trunk(name: str, classifier: Classifier) -> None:
    """Refuse a classifier that has no trunk to prepare.

    Raises:
        ConfigError: There is none.
    """
    if not classifier.trunk_variables:
        raise ConfigError(
            f"learner {name!r} prepares what is below the head of a classifier, and there "
            f"{type(classifier).__name__} has nothing to train; use --classifier shallow, or "
            "another one with a trunk"
        )
