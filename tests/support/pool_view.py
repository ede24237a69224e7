"""A view of a pool whose predictions are given, for acquisitions by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import Arrays
from bgadl_tf.acquisition.evidence import Look
from bgadl_tf.core.types import Floats, Id, Label
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.models import predictive
from bgadl_tf.models.predictive import Predictive

CLASSES, PASSES, FEATURES = 4, 7, 5


@dataclass(frozen=True)
class GivenEvidence:
    """What an ``Evidence`` shows, from tables.

    Args:
        passes: Log-probabilities ``[K, n, C]``.
        features: ``[n, F]``.
        penultimate: ``[n, P]``.
        log_probs: Log-probabilities without dropout ``[n, C]``.
        moments: Over the passes, of all examples: parts of it do not depend on the cut.
    """

    passes: Floats
    features: Floats
    penultimate: Floats
    log_probs: Floats
    moments: Predictive

    @property
    def inputs(self) -> tf.Tensor:
        """The examples are their features."""
        return tf.constant(self.features)

    @classmethod
    def of_tables(cls, passes: Floats, features: Floats) -> GivenEvidence:
        """From passes ``[K, n, C]`` and features ``[n, F]``."""
        moments = Predictive(*map(np.asarray, predictive.from_log_probs(tf.constant(passes))))
        return cls(passes, features, features, np.log(moments.mean_probs), moments)

    def part(self, rows: Sequence[int]) -> GivenEvidence:
        """The same of some of the examples."""
        return GivenEvidence(
            self.passes[:, rows],
            self.features[rows],
            self.penultimate[rows],
            self.log_probs[rows],
            Predictive(*(moment[rows] for moment in self.moments)),
        )


@dataclass(frozen=True)
class GivenView:
    """An ``acquisition.PoolView`` of examples whose evidence is given.

    Args:
        evidence: Of every known id.
        known: Every known id.
        rows: Places of the candidates among the known ids.
        at_once: Examples that are seen at a time.
        labels: What is labelled.
        round: The round that asks.
    """

    evidence: GivenEvidence
    known: Sequence[Id]
    rows: Sequence[int]
    at_once: int = 7
    labels: Mapping[Id, Label] = field(default_factory=dict)
    round: int = 1

    @property
    def ids(self) -> Sequence[Id]:
        return [self.known[row] for row in self.rows]

    @property
    def classes(self) -> int:
        return int(self.evidence.passes.shape[2])

    def look(
        self, look: Look, ids: Sequence[Id] | None = None, previous: bool = False
    ) -> Iterator[Arrays]:
        places = {id_: place for place, id_ in enumerate(self.known)}
        rows = [places[id_] for id_ in (self.ids if ids is None else ids)]
        for start in range(0, len(rows), self.at_once):
            seen: Any = look(self.evidence.part(rows[start : start + self.at_once]))  # type: ignore[arg-type]
            parts = seen if isinstance(seen, tuple) else (seen,)
            yield tuple(np.asarray(part) for part in parts)

    def train(self, model: Trainable, steps: int) -> None:
        raise NotImplementedError("a given view has no examples to train on")

    def remember(self, name: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Any:
        return make()


def random_evidence(count: int) -> GivenEvidence:
    """Predictions of ``count`` examples that differ between passes."""
    logits = tf.random.stateless_normal((PASSES, count, CLASSES), (1, 2)) * 2.0
    features = tf.random.stateless_normal((count, FEATURES), (3, 4))
    return GivenEvidence.of_tables(tf.nn.log_softmax(logits).numpy(), features.numpy())
