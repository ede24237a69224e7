"""The record of one finished round; the contract of ``rounds.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

import numpy as np

from bgadl_tf.core.errors import DivergenceError
from bgadl_tf.core.types import Id, Json


@dataclass(frozen=True)
class Round:
    """What one round came to.

    Args:
        round: 0 for the one that trains on the initial set.
        labelled: Size of the labelled set.
        test_accuracy: Share of the test set that is classified rightly.
        test_nll: Mean negative log-likelihood of the test labels, nats.
        queried: Ids that the round asked for.
        seconds: Time of its parts: ``train``, ``score``, ``evaluate``.
        facts: What learner and acquisition report, such as the mean |x' - x*|.
    """

    round: int
    labelled: int
    test_accuracy: float
    test_nll: float
    queried: tuple[Id, ...]
    seconds: Mapping[str, float]
    facts: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> Json:
        """As one JSON object."""
        return {**asdict(self), "queried": list(self.queried)}

    @classmethod
    def from_json(cls, record: Json) -> Self:
        """The inverse of ``to_json``."""
        return cls(**{**record, "queried": tuple(record["queried"])})

    def refuse_divergence(self) -> None:
        """Make sure that every number is finite.

        Raises:
            DivergenceError: The message names those that are not.
        """
        values = {"test_accuracy": self.test_accuracy, "test_nll": self.test_nll, **self.facts}
        if bad := [repr(name) for name, value in values.items() if not np.isfinite(value)]:
            raise DivergenceError(
                f"not finite in round {self.round}: {', '.join(bad)}; the networks have diverged, "
                "the last good checkpoint is kept: use a lower learning rate, in a new --out"
            )
