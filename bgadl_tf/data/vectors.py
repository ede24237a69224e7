"""Vectors: float32 and finite, whether they are in memory or in a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Floats, Id, Labels, Rows
from bgadl_tf.data.source import VECTOR_TYPE, ExampleSource, StoredExamples, gather, is_in_memory

CHUNK_BYTES = 2**24
"""What is copied or looked at in one piece."""


class StoredVectors(StoredExamples):
    """Vectors of an array, usually a memory-mapped one; checked whenever they are read.

    Args:
        array: ``[M, F]`` of float16, float32 or float64, or several vectors each, ``[M, V, F]``.
        ids: ``[N]``, to name vectors in messages.
        rows: ``[N]`` in the array, of each id; None for the same places.
    """

    def __init__(self, array: NDArray[Any], ids: Sequence[Id], rows: Rows | None = None) -> None:
        super().__init__((len(ids), *array.shape[1:]), VECTOR_TYPE)
        self._array, self._ids, self._places = array, ids, rows

    def read(self, rows: Rows) -> Floats:
        """Copies, as float32; see ``ExampleSource``.

        Raises:
            DataError: A vector is not finite.
        """
        vectors = np.empty((len(rows), *self.shape[1:]), np.float32)
        places = rows if self._places is None else self._places[rows]
        size = _rows_of_a_chunk(self)
        for start in range(0, len(rows), size):
            piece = slice(start, start + size)
            # What float32 cannot hold becomes infinite, and is refused as such.
            with np.errstate(over="ignore"):
                vectors[piece] = self._array[places[piece]]
            if len(odd := _odd_rows(vectors[piece])):
                raise _not_finite(vectors[piece][odd[0]], self._ids[rows[piece][odd[0]]])
        return vectors


class StackedVectors(StoredExamples):
    """Several vectors of each id ``[N, V, F]``, each kept in a place of its own.

    Args:
        parts: V sources ``[N, F]``, at least one.
    """

    def __init__(self, parts: Sequence[StoredVectors]) -> None:
        count, width = parts[0].shape
        super().__init__((count, len(parts), width), VECTOR_TYPE)
        self._parts = tuple(parts)

    def read(self, rows: Rows) -> Floats:
        """Copies, as float32; see ``StoredVectors``."""
        return np.stack([part.read(rows) for part in self._parts], axis=1)


def from_array(array: NDArray[Any], ids: Sequence[Id]) -> ExampleSource:
    """Vectors of an array: copied into memory only if it is there already, of another type.

    Args:
        array: ``[N, F]`` of float16, float32 or float64.
        ids: ``[N]``, to name vectors in messages.

    Raises:
        DataError: They are copied, and one is not finite.
    """
    stored = StoredVectors(array, ids)
    if not is_in_memory(array):
        return stored
    return array if array.dtype == VECTOR_TYPE else stored[:]


def check_finite(vectors: Floats, ids: Sequence[Id]) -> None:
    """Looks at vectors in memory.

    Raises:
        DataError: One of them is not finite.
    """
    size = _rows_of_a_chunk(vectors)
    for start in range(0, len(vectors), size):
        if len(odd := _odd_rows(vectors[start : start + size])):
            row = start + int(odd[0])
            raise _not_finite(vectors[row], ids[row])


def check_labelled(vectors: ExampleSource, labels: Labels) -> None:
    """Reads those that have a label, chunk by chunk, unless they are in memory and were checked.

    Raises:
        DataError: One of them is not finite.
    """
    if is_in_memory(vectors):
        return
    rows = np.flatnonzero(labels != UNLABELLED)
    size = _rows_of_a_chunk(vectors)
    for start in range(0, len(rows), size):
        gather(vectors, rows[start : start + size])


def _rows_of_a_chunk(vectors: ExampleSource) -> int:
    return max(1, CHUNK_BYTES // max(1, math.prod(vectors.shape[1:]) * VECTOR_TYPE.itemsize))


def _odd_rows(vectors: Floats) -> Rows:
    return np.flatnonzero(~np.isfinite(vectors).all(axis=tuple(range(1, vectors.ndim))))


def _not_finite(vector: Floats, id_: Id) -> DataError:
    *view, place = (int(axis[0]) for axis in np.nonzero(~np.isfinite(vector)))
    which = f"view {view[0]} of " if view else ""
    return DataError(
        f"component {place} of {which}vector {id_!r} is {vector[*view, place]}; expected finite "
        "numbers that float32 can hold: mend the vector, or leave it out"
    )
