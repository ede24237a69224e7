"""Queries, and how the highest of many scores become one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import PoolError, ScoreError
from bgadl_tf.core.types import Examples, Id, Rows

Scores = NDArray[np.floating[Any]]
"""float32 or float64 [N]; larger is more informative."""

TieKey: TypeAlias = Callable[[Id], Any]
"""Of candidates that are equal, those of the smallest keys come first."""


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


def by_lot(rng: np.random.Generator) -> TieKey:
    """Keys of which no id has a better chance to be the smallest; one draw serves all ids.

    They depend on nothing but that draw and the id: ids often tell the class, and so does where an
    example stands in the pool, which would then be asked for first.

    Args:
        rng: Draws the key of the hash (Blake2b).
    """
    key = rng.bytes(16)
    return lambda id_: hashlib.blake2b(
        id_.encode("utf-8", "surrogatepass"), digest_size=8, key=key
    ).digest()


def largest(values: NDArray[Any], ties: Rows) -> int:
    """Row of the largest of values ``[N]``; of equal ones of that with the smallest of ``ties``."""
    rows = np.flatnonzero(values == values.max())
    return int(rows[ties[rows].argmin()])


class TopScores:
    """Keeps the highest scores of a pool while they are computed, O(b) of them at a time.

    Args:
        ids: Of the whole pool, ``[N]``.
        size: b.
        tie_key: Of equal scores, which come first; None: by id.

    Raises:
        PoolError: ``size`` is larger than N.
    """

    def __init__(self, ids: Sequence[Id], size: int, tie_key: TieKey | None = None) -> None:
        if size > len(ids):
            raise PoolError(
                f"{size} labels were asked for, but only {len(ids)} candidates are left"
            )
        self._ids, self._size = ids, size
        self._tie_key: TieKey = tie_key or (lambda id_: id_)
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
        """The highest scores; equal ones in the order of their keys.

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
        order = np.lexsort((self._places(scores, rows), -scores))[: self._size]
        self._scores, self._rows, self._held = [scores[order]], [rows[order]], len(order)
        return self._scores[0], self._rows[0]

    def _places(self, scores: Scores, rows: Rows) -> Rows:
        """Places of equal scores among each other; no key is made of what nothing equals."""
        _, groups, counts = np.unique(scores, return_inverse=True, return_counts=True)
        equal = np.flatnonzero(counts[groups] > 1).tolist()
        equal.sort(key=lambda at: self._tie_key(self._ids[int(rows[at])]))
        places = np.zeros(len(scores), np.int64)
        places[equal] = np.arange(len(equal))
        return places


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
