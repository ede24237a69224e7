"""Settings that every learner has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from bgadl_tf.models.spaces import Space


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

    by_space: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """By the name of an example space: what options that are None stand for there."""

    def for_space(self, space: Space, before: Mapping[str, Any] | None = None) -> Self:
        """The same with what is left open chosen.

        Args:
            space: Of the examples.
            before: Options of the run that goes on: what was chosen for it stays.
        """
        chosen = {
            name: (before or {}).get(name, value)
            for name, value in self.by_space.get(space.name, {}).items()
            if getattr(self, name) is None
        }
        return dataclasses.replace(self, **chosen)
