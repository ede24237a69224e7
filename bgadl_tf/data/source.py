"""Where examples are: in memory, or in files from which some are read when they are needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from bgadl_tf.core.types import Examples, Rows

IMAGE_TYPE = np.dtype(np.uint8)
VECTOR_TYPE = np.dtype(np.float32)


class ExampleSource(Protocol):
    """Examples that can be had a few at a time; ``np.ndarray`` and ``np.memmap`` are sources.

    Rows that grow are read fastest, since files are then read from front to back.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, D) of images, (N, F) of vectors."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of images uint8, of vectors float32."""

    @property
    def ndim(self) -> int:
        """Of images 4, of vectors 2."""

    def __len__(self) -> int:
        """N."""

    def __getitem__(self, rows: Rows | slice, /) -> Examples:
        """Examples of ``rows``, in that order, uint8 [n, H, W, D] or float32 [n, F].

        Raises:
            DataError: An example cannot be read; the message names it.
        """


class StoredExamples(ABC):
    """A source whose examples come into memory when they are indexed, in any thread.

    Args:
        shape: (N, H, W, D) or (N, F).
        dtype: Of the examples.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any] = IMAGE_TYPE) -> None:
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows | slice, /) -> Examples:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)), dtype=np.int64)
        elif len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(
                f"rows go from {rows.min()} to {rows.max()} of {len(self)} {kind(self)}"
            )
        return self.read(rows)

    @abstractmethod
    def read(self, rows: Rows) -> Examples:
        """Examples of rows that exist, uint8 [len(rows), H, W, D] or float32 [len(rows), F]."""


class Subset(StoredExamples):
    """Some examples of a source, under new rows.

    Args:
        source: All of them.
        rows: ``[M]`` in ``source``.
    """

    def __init__(self, source: ExampleSource, rows: Rows) -> None:
        super().__init__((len(rows), *source.shape[1:]), source.dtype)
        self._source, self._rows = source, rows

    def read(self, rows: Rows) -> Examples:
        return gather(self._source, self._rows[rows])


class WithoutViews(StoredExamples):
    """Each example of a source by itself where an example and its views are expected.

    Args:
        source: ``[N, *shape]``; this one is ``[N, 1, *shape]``.
    """

    def __init__(self, source: ExampleSource) -> None:
        super().__init__((len(source), 1, *source.shape[1:]), source.dtype)
        self._source = source

    def read(self, rows: Rows) -> Examples:
        return gather(self._source, rows)[:, np.newaxis]


class Joined(StoredExamples):
    """The examples of several sources, one after the other.

    Args:
        sources: At least one; all of one shape and type.
    """

    def __init__(self, sources: Sequence[ExampleSource]) -> None:
        count = sum(len(source) for source in sources)
        super().__init__((count, *sources[0].shape[1:]), sources[0].dtype)
        self._sources = tuple(sources)
        self._firsts = np.cumsum([0, *map(len, sources)])

    def read(self, rows: Rows) -> Examples:
        examples = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for source, first, end in zip(
            self._sources, self._firsts[:-1], self._firsts[1:], strict=True
        ):
            here = (rows >= first) & (rows < end)
            if here.any():
                examples[here] = gather(source, rows[here] - first)
        return examples


def join(sources: Sequence[ExampleSource]) -> ExampleSource:
    """Several sources as one: a copy where all are in memory, else still where they are."""
    if len(sources) == 1:
        return sources[0]
    if all(is_in_memory(source) for source in sources):
        return np.concatenate([source[:] for source in sources])
    return Joined(sources)


def gather(source: ExampleSource, rows: Rows) -> Examples:
    """Examples of rows in any order; each is read once, and files from front to back."""
    if (np.diff(rows) > 0).all():
        return source[rows]
    growing, places = np.unique(rows, return_inverse=True)
    return source[growing][places]


def part_of(source: ExampleSource, rows: Rows) -> ExampleSource:
    """Some examples of a source: a copy of what is in memory, else still where they are."""
    return source[rows] if is_in_memory(source) else Subset(source, rows)


def is_in_memory(source: ExampleSource) -> bool:
    """Whether indexing reads no file."""
    return isinstance(source, np.ndarray) and not isinstance(source, np.memmap)


def kind(source: ExampleSource) -> str:
    """What messages call the examples."""
    return "vectors" if source.ndim == 2 else "images"
