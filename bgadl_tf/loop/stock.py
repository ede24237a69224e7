"""What a dataset is made of at one moment."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.types import Id, Labels
from bgadl_tf.data.contents import Digests
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet


class Stock(NamedTuple):
    """Every example of a dataset, those of the training set first, and what has gone from that.

    Fields:
        ids: ``[N]``.
        digests: Of their contents, uint64 [N].
        stamps: Of their files, uint64 [N]; 0 where there are none.
        labels: int32 [N].
        in_test: bool [N].
        gone: bool [N]: examples that were in the training set once, by which they are recognised
            when they are back.
    """

    ids: tuple[Id, ...]
    digests: Digests
    stamps: Digests
    labels: Labels
    in_test: NDArray[np.bool_]
    gone: NDArray[np.bool_]

    @classmethod
    def take(cls, dataset: Dataset, before: Stock | None) -> Self:
        """What a dataset is made of now.

        Args:
            dataset: Whose contents are read, but for those whose stamps have not changed.
            before: What it was made of earlier.

        Raises:
            DataError: An example cannot be read.
        """
        parts = dataset.train, dataset.test
        known = {} if before is None else before.stamped()
        found = [_contents(part, known) for part in parts if len(part)]
        return cls(
            ids=parts[0].ids + parts[1].ids,
            digests=np.concatenate([digests for digests, _ in found]),
            stamps=np.concatenate([stamps for _, stamps in found]),
            labels=np.concatenate([part.labels for part in parts]),
            in_test=np.repeat([False, True], [len(part) for part in parts]),
            gone=np.zeros(len(parts[0]) + len(parts[1]), np.bool_),
        )

    def remembering(
        self, before: Stock, removed: Collection[Id], returned: Collection[Id]
    ) -> Stock:
        """The same, and what has gone by now or had before.

        Args:
            before: What there was.
            removed: Ids in it of what has gone now.
            returned: Ids in it of what had gone and is back.
        """
        removed, returned = {*removed}, {*returned}
        rows = np.array(
            [
                row
                for row, (id_, gone, test) in enumerate(
                    zip(before.ids, before.gone, before.in_test, strict=True)
                )
                if (id_ not in returned if gone else id_ in removed and not test)
            ],
            np.int64,
        )
        return Stock(
            self.ids + tuple(before.ids[row] for row in rows),
            np.concatenate([self.digests, before.digests[rows]]),
            np.concatenate([self.stamps, before.stamps[rows]]),
            np.concatenate([self.labels, before.labels[rows]]),
            np.concatenate([self.in_test, before.in_test[rows]]),
            np.concatenate([self.gone, np.ones(len(rows), np.bool_)]),
        )

    def stamped(self) -> dict[tuple[Id, int], int]:
        """Digests by id and stamp."""
        keys = zip(self.ids, self.stamps.tolist(), strict=True)
        return {key: d for key, d in zip(keys, self.digests.tolist(), strict=True) if key[1]}

    def part(self, *, test: bool = False, gone: bool = False) -> dict[Id, int]:
        """Digests of the training set, of the test set, or of what has gone, by id."""
        rows = np.flatnonzero((self.in_test == test) & (self.gone == gone)).tolist()
        return {self.ids[row]: int(self.digests[row]) for row in rows}

    def labels_of(self, *, test: bool) -> dict[Id, int]:
        """Of the training or the test set by id."""
        rows = np.flatnonzero((self.in_test == test) & ~self.gone).tolist()
        return {self.ids[row]: int(self.labels[row]) for row in rows}

    def fingerprint(self, class_names: Sequence[str]) -> str:
        """The same for the same examples under the same ids and labels, in whatever order."""
        names = [*class_names, ""]
        lines = sorted(
            f"{id_}\0{digest}\0{names[label]}\0{test}"
            for id_, digest, _, label, test, gone in zip(*self, strict=True)
            if not gone
        )
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """For a journal; ids as bytes, which take a quarter of an array of strings."""
        text = "\0".join(self.ids).encode()
        return {**self._asdict(), "ids": np.frombuffer(text, np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of ``to_arrays``."""
        ids = tuple(arrays["ids"].tobytes().decode().split("\0"))
        return cls(ids, *(arrays[name] for name in cls._fields[1:]))


def _contents(part: ExampleSet, known: Mapping[tuple[Id, int], int]) -> tuple[Digests, Digests]:
    """Digests and stamps of a set; nothing is read whose stamp is known."""
    rows = np.arange(len(part), dtype=np.int64)
    stamps = part.known_by.stamps(rows)
    if stamps is None:
        return part.known_by.digests(rows), np.zeros(len(part), np.uint64)
    old = [known.get(key) for key in zip(part.ids, stamps.tolist(), strict=True)]
    digests = np.array([digest or 0 for digest in old], np.uint64)
    new = np.array([digest is None for digest in old], np.bool_)
    if new.any():
        digests[new] = part.known_by.digests(rows[new])
    return digests, stamps
