"""What an acquisition is: a rule that turns a view of the pool into a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.models.predictive import Predictive
from bgadl_tf.registry import Registry
from bgadl_tf.types import Floats, Id


@dataclass(frozen=True)
class Query:
    """Ids to be labelled, the most informative first, and their scores.

    Attributes:
        ids: ``[b]``.
        scores: ``[b]``, larger is more informative.
    """

    ids: tuple[Id, ...]
    scores: tuple[float, ...]


class PoolView(Protocol):
    """What an acquisition may look at; everything is computed when it is first asked for."""

    @property
    def ids(self) -> Sequence[Id]:
        """Candidates, ``[N]``."""

    def predictive(self) -> Predictive:
        """Predictive distribution of the candidates under the round's MC masks."""


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
        scores = np.asarray(type(self).score(view.predictive()), dtype=np.float32)
        return top(view.ids, scores, size)


def top(ids: Sequence[Id], scores: Floats | NDArray[np.float64], size: int) -> Query:
    """The ``size`` highest scores; equal scores keep the order of ``ids``.

    Args:
        ids: ``[N]``.
        scores: ``[N]``.
        size: b.

    Raises:
        PoolError: ``size`` is larger than N.
        ScoreError: A score is NaN or infinite; the message names the first example.
    """
    if size > len(ids):
        raise PoolError(f"{size} labels were asked for, but only {len(ids)} candidates are left")
    if not np.isfinite(scores).all():
        bad = np.flatnonzero(~np.isfinite(scores))
        raise ScoreError(
            f"{len(bad)} of {len(scores)} scores are not finite, the first that of "
            f"{ids[int(bad[0])]!r}; the network has diverged: lower the learning rate"
        )
    order = np.argsort(-scores, kind="stable")[:size]
    return Query(
        ids=tuple(ids[int(row)] for row in order), scores=tuple(float(scores[row]) for row in order)
    )


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
