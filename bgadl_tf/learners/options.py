"""Settings that every learner has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """A learner's own options extend these.

    Args:
        optimizer: Of the classifier: sgd, adam or adadelta.
        learning_rate: Of the classifier.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
