"""What an acquisition is: a rule that turns a view of the pool into a query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Protocol

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.query import Query, TopScores
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry
from bgadl_tf.core.types import Floats, Id
from bgadl_tf.models.predictive import Predictive


class PoolView(Protocol):
    """What an acquisition may look at; everything is computed when it is asked for."""

    @property
    def ids(self) -> Sequence[Id]:
        """Candidates, ``[N]``."""

    def scores(self, score: Callable[[Predictive], tf.Tensor]) -> Iterator[Floats]:
        """Scores under the round's MC masks, float32, of a part of the ids at a time.

        The parts follow the order of ``ids`` and cover them. Candidates may be more than fit into
        memory: keep no more of a part than is needed.

        Args:
            score: From a predictive distribution of n candidates to ``[n]``, in TensorFlow.
        """


class Acquisition(Protocol):
    """A query strategy."""

    needs: ClassVar[frozenset[str]]
    """Abilities of the learner without which it cannot work."""

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        """Choose ``size`` candidates.

        Raises:
            PoolError: Fewer than ``size`` candidates are left.
            ScoreError: A score is not finite.
        """


class ScoreAcquisition:
    """Takes the highest scores of a function of the predictive distribution; ties by pool order."""

    needs: ClassVar[frozenset[str]] = frozenset()
    score: ClassVar[Callable[[Predictive], tf.Tensor]]

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        best = TopScores(view.ids, size)
        for scores in view.scores(type(self).score):
            best.add(scores)
        return best.query()


ACQUISITIONS: Registry[type[Acquisition]] = Registry("acquisition", "bgadl_tf.acquisition")


def check_abilities(name: str, abilities: frozenset[str], learner: str) -> None:
    """Refuse an acquisition that a learner cannot serve.

    Raises:
        ConfigError: The message lists the acquisitions that are possible.
    """
    missing = ACQUISITIONS.get(name).needs - abilities
    if missing:
        possible = [n for n in ACQUISITIONS if ACQUISITIONS.get(n).needs <= abilities]
        raise ConfigError(
            f"acquisition {name!r} needs {', '.join(sorted(missing))}, which learner {learner!r} "
            f"with this classifier cannot offer; possible: {', '.join(possible)}"
        )
