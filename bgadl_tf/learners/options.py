"""Settings that every learner has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """A learner's own options extend these.

    Args:
        optimizer: Of the classifier: sgd, adam or adadelta.
        learning_rate: Of the classifier.
        trunk_learning_rate: Of what is below the head of the classifier, e.g. a pre-trained
            network that is to change slowly; None for ``learning_rate``.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    trunk_learning_rate: float | None = None
