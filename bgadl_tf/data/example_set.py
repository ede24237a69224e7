"""Examples under stable ids, with labels where somebody knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Examples, Id, Labels, Rows
from bgadl_tf.data import vectors
from bgadl_tf.data.contents import Contents, Digests, JoinedContents, RowContents
from bgadl_tf.data.source import (
    IMAGE_TYPE,
    VECTOR_TYPE,
    ExampleSource,
    Subset,
    gather,
    is_in_memory,
    join,
    kind,
    part_of,
)


@dataclass(frozen=True)
class ExampleSet:
    """Images or vectors under ids.

    Attributes:
        ids: ``[N]`` unique, stable names.
        examples: Images, ``uint8 [N, H, W, D]``, or vectors, ``float32 [N, F]``, in memory or
            read when they are indexed.
        labels: ``int32 [N]``; ``UNLABELLED`` where nobody knows.
        contents: By which examples are recognised again; None for what they are made of.
        views: ``float32 [N, V, F]`` label-preserving views of vectors, stored beside them; None
            where there are none.

    Raises:
        DataError: Lengths, shapes or dtypes do not fit together, an id occurs twice, or a vector
            in memory is not finite.
    """

    ids: tuple[Id, ...]
    examples: ExampleSource
    labels: Labels
    contents: Contents | None = field(default=None, repr=False, compare=False)
    views: ExampleSource | None = field(default=None, repr=False, compare=False)
    _rows: dict[Id, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.examples.dtype, self.examples.ndim) not in ((IMAGE_TYPE, 4), (VECTOR_TYPE, 2)):
            raise DataError(
                f"examples are {self.examples.dtype} {list(self.examples.shape)}; expected images, "
                "uint8 [N, H, W, D], or vectors, float32 [N, F]; Dataset.from_arrays converts "
                "what can be converted"
            )
        if not len(self.ids) == len(self.examples) == len(self.labels):
            raise DataError(
                f"{len(self.ids)} ids, {len(self.examples)} {kind(self.examples)} and "
                f"{len(self.labels)} labels; expected the same number of each"
            )
        if self.views is not None and len(self.views) != len(self.ids):
            raise DataError(
                f"there are views of {len(self.views)} examples, and {len(self.ids)} examples; "
                "expected those of each"
            )
        rows = {id_: row for row, id_ in enumerate(self.ids)}
        if len(rows) != len(self.ids):
            (first, times), *_ = Counter(self.ids).most_common(1)
            more = len(self.ids) - len(rows) - (times - 1)
            others = f" and {more} further ids too often" if more else ""
            raise DataError(f"id {first!r} occurs {times} times{others}; ids must be unique")
        if is_in_memory(self.examples) and self.examples.ndim == 2:
            vectors.check_finite(self.examples[:], self.ids)
        object.__setattr__(self, "_rows", rows)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._rows

    def rows(self, ids: Sequence[Id]) -> Rows:
        """Rows of ``ids``, int64 [len(ids)].

        Raises:
            DataError: An id is not in this set.
        """
        try:
            return np.fromiter(map(self._rows.__getitem__, ids), np.int64, len(ids))
        except KeyError as error:
            raise DataError(f"no example is called {error.args[0]!r}") from None

    def examples_of(self, ids: Sequence[Id]) -> Examples:
        """Examples of ``ids``, in that order and in memory."""
        return gather(self.examples, self.rows(ids))

    def source_of(self, ids: Sequence[Id]) -> ExampleSource:
        """Examples of ``ids``, in that order; nothing is copied or read before it is indexed."""
        return Subset(self.examples, self.rows(ids))

    def labels_of(self, ids: Sequence[Id]) -> Labels:
        """Labels of ``ids``, in that order, int32 [len(ids)]."""
        return self.labels[self.rows(ids)]

    def in_memory(self) -> ExampleSet:
        """The same set with its examples in memory."""
        if is_in_memory(self.examples):
            return self
        examples = self.examples[np.arange(len(self))]
        return ExampleSet(self.ids, examples, self.labels, self.contents, self.views)

    def part(self, rows: Rows) -> ExampleSet:
        """Some of the examples, copied only where they are in memory."""
        ids = tuple(self.ids[row] for row in rows.tolist())
        examples = part_of(self.examples, rows)
        contents = None if self.contents is None else self.contents.part(rows)
        views = None if self.views is None else Subset(self.views, rows)
        return ExampleSet(ids, examples, self.labels[rows], contents, views)

    @property
    def known_by(self) -> Contents:
        """``contents``, or else what the examples themselves are made of."""
        return self.contents or RowContents(self.examples)

    def digests(self) -> Digests:
        """A number for the content of each example, uint64 [N]; reads all of it.

        Raises:
            DataError: An example cannot be read.
        """
        return self.known_by.digests(np.arange(len(self), dtype=np.int64))


def join_sets(sets: Sequence[ExampleSet]) -> ExampleSet:
    """Several sets as one; their ids differ."""
    if len(sets) == 1:
        return sets[0]
    return ExampleSet(
        tuple(id_ for one in sets for id_ in one.ids),
        join([one.examples for one in sets]),
        np.concatenate([one.labels for one in sets]),
        JoinedContents([(one.known_by, len(one)) for one in sets]),
    )
