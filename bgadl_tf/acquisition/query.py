"""Queries, and how the highest of many scores become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import PoolError, ScoreError
from bgadl_tf.core.types import Examples, Id, Rows

Scores = NDArray[np.floating[Any]]
"""float32 or float64 [N]; larger is more informative."""


class Query(NamedTuple):
    """Ids to be labelled, the most informative first.

    Fields:
        ids: ``[b]``.
        scores: ``[b]``, larger is more informative.
        examples: ``[b, *shape]`` of synthesised examples, which are admitted to the pool under
            these new ids; None where the ids are the pool's.
        facts: Further numbers about the query, for the record of its round.
    """

    ids: tuple[Id, ...]
    scores: tuple[float, ...]
    examples: Examples | None = None
    facts: Mapping[str, float] = MappingProxyType({})


def order_of_ties(ids: Sequence[Id], rng: np.random.Generator | None = None) -> Rows:
    """Which of candidates that are equal come first, ``[N]``: those of the smallest numbers.

    A candidate's number does not depend on where it stands in ``ids``.

    Args:
        ids: ``[N]``, all different.
        rng: Draws the numbers: ids often tell the class, which would then be asked for first. None:
            their places among sorted ids.
    """
    order = np.empty(len(ids), np.int64)
    places = sorted(range(len(ids)), key=ids.__getitem__)
    order[places] = np.arange(len(ids)) if rng is None else rng.permutation(len(ids))
    return order


def largest(values: NDArray[Any], ties: Rows) -> int:
    """Row of the largest of values ``[N]``; of equal ones of that with the smallest of ``ties``."""
    rows = np.flatnonzero(values == values.max())
    return int(rows[ties[rows].argmin()])


class TopScores:
    """Keeps the highest scores of a pool while they are computed, O(b) of them at a time.

    Args:
        ids: Of the whole pool, ``[N]``.
        size: b.
        ties: Which of equal scores come first, see ``order_of_ties``; None: by id.

    Raises:
        PoolError: ``size`` is larger than N.
    """

    def __init__(self, ids: Sequence[Id], size: int, ties: Rows | None = None) -> None:
        if size > len(ids):
            raise PoolError(
                f"{size} labels were asked for, but only {len(ids)} candidates are left"
            )
        self._ids, self._size = ids, size
        self._ties = order_of_ties(ids) if ties is None else ties
        self._seen = self._not_finite = self._held = 0
        self._first_not_finite: Id | None = None
        self._scores: list[Scores] = []
        self._rows: list[Rows] = []

    def add(self, scores: Scores) -> None:
        """Takes the scores of the next ids."""
        rows = np.arange(self._seen, self._seen + len(scores))
        self._seen += len(scores)
        if len(bad := rows[~np.isfinite(scores)]):
            self._not_finite += len(bad)
            self._first_not_finite = self._first_not_finite or self._ids[int(bad[0])]
        self._scores.append(scores)
        self._rows.append(rows)
        self._held += len(scores)
        # Sorting no more often than this costs O(N log b) in all, however large b is.
        if self._held >= 2 * self._size:
            self._merge()

    def query(self) -> Query:
        """The highest scores; equal ones in the order of ``ties``.

        Raises:
            ScoreError: A score is missing, NaN or infinite; the message names the first example.
        """
        if self._seen != len(self._ids):
            raise ScoreError(f"{self._seen} scores for {len(self._ids)} candidates")
        if self._not_finite:
            raise ScoreError(
                f"{self._not_finite} of {self._seen} scores are not finite, the first that of "
                f"{self._first_not_finite!r}; the network has diverged: lower the learning rate"
            )
        scores, rows = self._merge()
        return Query(
            ids=tuple(self._ids[row] for row in rows.tolist()), scores=tuple(scores.tolist())
        )

    def _merge(self) -> tuple[Scores, Rows]:
        scores, rows = np.concatenate(self._scores), np.concatenate(self._rows)
        order = np.lexsort((self._ties[rows], -scores))[: self._size]
        self._scores, self._rows, self._held = [scores[order]], [rows[order]], len(order)
        return self._scores[0], self._rows[0]


def top(ids: Sequence[Id], scores: Scores, size: int) -> Query:
    """The ``size`` highest scores; equal ones by id.

    Args:
        ids: ``[N]``.
        scores: ``[N]``.
        size: b.

    Raises:
        PoolError: ``size`` is larger than N.
        ScoreError: A score is NaN or infinite; the message names the first example.
    """
    best = TopScores(ids, size)
    best.add(scores)
    return best.query()
