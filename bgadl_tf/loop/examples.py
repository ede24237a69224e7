"""Every example that the loop knows: the training set's, and those that were synthesised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Examples, Id, Rows
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.source import ExampleSource, StoredExamples, gather
from bgadl_tf.loop.journal import Journal, queries


class KnownExamples:
    """Examples by id.

    Args:
        train: The training set.
        journal: Holds the queries whose examples were synthesised.
    """

    def __init__(self, train: ExampleSet, journal: Journal) -> None:
        self._train = train
        self._admitted: dict[Id, Examples] = {}
        for query in queries(journal).values():
            if query.examples is not None:
                self.admit(query.ids, query.examples)

    def admit(self, ids: Sequence[Id], examples: Examples) -> None:
        """Take in synthesised examples.

        Raises:
            PoolError: An id is taken, or shape or type are not the dataset's.
        """
        expected, dtype = self._train.examples.shape[1:], self._train.examples.dtype
        if examples.shape != (len(ids), *expected) or examples.dtype != dtype:
            raise PoolError(
                f"synthesised examples are {examples.dtype} {examples.shape}; expected {dtype} "
                f"{(len(ids), *expected)}"
            )
        if taken := [id_ for id_ in ids if id_ in self._train or id_ in self._admitted]:
            raise PoolError(f"a synthesised example is called {taken[0]!r}, which is taken")
        self._admitted.update(zip(ids, examples, strict=True))

    def is_synthesised(self, id_: Id) -> bool:
        """Whether it was taken in by ``admit``, and is not of the training set."""
        return id_ in self._admitted

    def source_of(self, ids: Sequence[Id]) -> ExampleSource:
        """Examples of ids, in that order; nothing is read before it is indexed.

        Raises:
            DataError: An id is not known.
        """
        if not self._admitted or not any(id_ in self._admitted for id_ in ids):
            return self._train.source_of(ids)
        return _Mixed(self._train, self._admitted, ids)

    def of(self, ids: Sequence[Id]) -> Examples:
        """Examples of ids, in that order, in memory."""
        return gather(self.source_of(ids), np.arange(len(ids), dtype=np.int64))

    def views_of(self, ids: Sequence[Id]) -> Examples | None:
        """Views of ids, ``[n, V, F]`` in memory; None where the dataset has none.

        A synthesised example has none of its own, and stands in for each.
        """
        views = self._train.views
        if views is None:
            return None
        found = np.empty((len(ids), *views.shape[1:]), views.dtype)
        own = [place for place, id_ in enumerate(ids) if id_ not in self._admitted]
        found[own] = gather(views, self._train.rows([ids[place] for place in own]))
        for place, id_ in enumerate(ids):
            if id_ in self._admitted:
                found[place] = self._admitted[id_]
        return found

    def forms_of(self, ids: Sequence[Id]) -> ExampleSource:
        """Each example followed by its views, ``[n, 1 + V, F]``, read when it is indexed; V is 0
        where the dataset has none.
        """
        return _Forms(self, ids)


class _Forms(StoredExamples):
    """Examples with their views."""

    def __init__(self, examples: KnownExamples, ids: Sequence[Id]) -> None:
        self._examples, self._ids = examples, tuple(ids)
        first = self.read(np.zeros(min(1, len(ids)), np.int64))
        super().__init__((len(ids), *first.shape[1:]), first.dtype)

    def read(self, rows: Rows) -> Examples:
        ids = [self._ids[row] for row in rows.tolist()]
        examples = self._examples.of(ids)[:, None]
        views = self._examples.views_of(ids)
        return examples if views is None else np.concatenate([examples, views], 1)


class _Mixed(StoredExamples):
    """Examples of which some are synthesised."""

    def __init__(self, train: ExampleSet, admitted: dict[Id, Examples], ids: Sequence[Id]) -> None:
        super().__init__((len(ids), *train.examples.shape[1:]), train.examples.dtype)
        self._train, self._admitted, self._ids = train, admitted, tuple(ids)

    def read(self, rows: Rows) -> Examples:
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        ids = [self._ids[row] for row in rows.tolist()]
        own = [place for place, id_ in enumerate(ids) if id_ not in self._admitted]
        found[own] = self._train.examples_of([ids[place] for place in own])
        for place, id_ in enumerate(ids):
            if id_ in self._admitted:
                found[place] = self._admitted[id_]
        return found
