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
        test_accuracy: Share of the test set that is classified rightly; None without one.
        test_nll: Mean negative log-likelihood of the test labels, nats; None without a test set.
        queried: Ids that the round asked for.
        seconds: Time of its parts: ``train``, ``score``, ``evaluate``.
        facts: What learner and acquisition report, such as the mean |x' - x*|.
        test_set: How often the test set had changed by then: rounds in which it differs are not
            to be compared.
        calibration: Of the test set's probabilities, as ``Calibration.to_json``; None without a
            test set, and of versions before 0.2.
    """

    round: int
    labelled: int
    test_accuracy: float | None
    test_nll: float | None
    queried: tuple[Id, ...]
    seconds: Mapping[str, float]
    facts: Mapping[str, float] = field(default_factory=dict)
    test_set: int = 0
    calibration: Json | None = None

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
        known = {name: value for name, value in values.items() if value is not None}
        if bad := [repr(name) for name, value in known.items() if not np.isfinite(value)]:
            raise DivergenceError(
                f"not finite in round {self.round}: {', '.join(bad)}; the networks have diverged, "
                "the last good checkpoint is kept: use a lower learning rate, in a new --out"
            )


def rounded(train: float, score: float, evaluate: float) -> dict[str, float]:
    """Times of the parts of a round, seconds, to milliseconds."""
    seconds = {"train": train, "score": score, "evaluate": evaluate}
    return {name: round(value, 3) for name, value in seconds.items()}
