"""What a dataset is made of at one moment, and in what it differs from another."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.types import Id, Json, Labels
from bgadl_tf.data.contents import Digests
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet

_SHOWN = 3
_EXAMPLES = "example", "examples"


class Stock(NamedTuple):
    """Every example of a dataset, those of the training set first.

    Fields:
        ids: ``[N]``.
        digests: Of their contents, uint64 [N].
        stamps: Of their files, uint64 [N]; 0 where there are none.
        labels: int32 [N].
        in_test: bool [N].
    """

    ids: tuple[Id, ...]
    digests: Digests
    stamps: Digests
    labels: Labels
    in_test: NDArray[np.bool_]

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
        )

    def stamped(self) -> dict[tuple[Id, int], int]:
        """Digests by id and stamp."""
        keys = zip(self.ids, self.stamps.tolist(), strict=True)
        return {key: d for key, d in zip(keys, self.digests.tolist(), strict=True) if key[1]}

    def part(self, test: bool) -> dict[Id, int]:
        """Digests of the training or of the test set by id."""
        rows = np.flatnonzero(self.in_test == test).tolist()
        return {self.ids[row]: int(self.digests[row]) for row in rows}

    def labels_by_id(self) -> dict[Id, int]:
        """Of the training set."""
        rows = np.flatnonzero(~self.in_test).tolist()
        return {self.ids[row]: int(self.labels[row]) for row in rows}

    def fingerprint(self, class_names: Sequence[str]) -> str:
        """The same for the same examples under the same ids and labels, in whatever order."""
        names = [*class_names, ""]
        lines = sorted(
            f"{id_}\0{digest}\0{names[label]}\0{test}"
            for id_, digest, label, test in zip(
                self.ids, self.digests, self.labels, self.in_test, strict=True
            )
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


@dataclass(frozen=True)
class Changes:
    """In what a dataset differs from what it was; ids, unless it says otherwise.

    Attributes:
        added: New in the training set: now in the pool.
        removed: No longer in the training set: skipped.
        replaced: Of the training set, with other contents than before.
        renamed: Old to new, of examples with the same contents.
        relabelled: Class index that the dataset now gives, ``UNLABELLED`` where none.
        test_added: New in the test set.
        test_removed: No longer in the test set.
        test_replaced: Of the test set, with other contents or another label than before.
        new_classes: Names of classes that were unknown.
    """

    added: tuple[Id, ...] = ()
    removed: tuple[Id, ...] = ()
    replaced: tuple[Id, ...] = ()
    renamed: Mapping[Id, Id] = field(default_factory=dict)
    relabelled: Mapping[Id, int] = field(default_factory=dict)
    test_added: tuple[Id, ...] = ()
    test_removed: tuple[Id, ...] = ()
    test_replaced: tuple[Id, ...] = ()
    new_classes: tuple[str, ...] = ()

    @property
    def of_test(self) -> bool:
        """Whether accuracies before and after are of different test sets."""
        return bool(self.test_added or self.test_removed or self.test_replaced)

    def to_json(self) -> Json:
        """What there is of it."""
        every = dataclasses.asdict(self)
        return {n: [*v] if isinstance(v, tuple) else dict(v) for n, v in every.items() if v}

    def lines(self) -> list[str]:
        """For a person, a line a kind."""
        told = {
            "added": "joined the pool",
            "removed": "gone, skipped from now on",
            "replaced": "with other contents than before; their labels are kept, correct those "
            "that no longer hold",
            "renamed": "with new names, recognised",
            "relabelled": "with another label in the dataset than before",
            "test_added": "joined the test set",
            "test_removed": "gone from the test set",
            "test_replaced": "of the test set changed",
            "new_classes": "new, last in the order of classes",
        }
        lines = []
        for name, what in told.items():
            if names := [*getattr(self, name)]:
                more = ", …" if len(names) > _SHOWN else ""
                one, many = ("class", "classes") if name == "new_classes" else _EXAMPLES
                kind = one if len(names) == 1 else many
                lines.append(f"{len(names)} {kind} {what}: {', '.join(names[:_SHOWN])}{more}")
        if self.of_test:
            lines.append("every later accuracy is of another test set than the earlier ones")
        return lines


def compare(before: Stock, now: Stock, new_classes: Sequence[str]) -> Changes:
    """In what ``now`` differs from ``before``."""
    added, removed, replaced, renamed = _difference(before.part(False), now.part(False))
    test_added, test_removed, test_replaced, test_renamed = _difference(
        before.part(True), now.part(True)
    )
    earlier, later = before.labels_by_id(), now.labels_by_id()
    were = {renamed.get(id_, id_): label for id_, label in earlier.items()}
    tested = dict(zip(before.ids, before.labels.tolist(), strict=True))
    test_relabelled = [
        id_
        for id_, label, test in zip(now.ids, now.labels.tolist(), now.in_test, strict=True)
        if test and tested.get(id_, label) != label
    ]
    return Changes(
        added=added,
        removed=removed,
        replaced=replaced,
        renamed={**renamed, **test_renamed},
        relabelled={i: label for i, label in later.items() if were.get(i, label) != label},
        test_added=test_added,
        test_removed=test_removed,
        test_replaced=tuple(dict.fromkeys([*test_replaced, *test_relabelled])),
        new_classes=tuple(new_classes),
    )


def recognised(before: Stock, now: Stock) -> int:
    """How many examples of ``before`` are still there, under whatever name."""
    return int(np.isin(before.digests, now.digests).sum())


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


def _difference(
    before: Mapping[Id, int], now: Mapping[Id, int]
) -> tuple[tuple[Id, ...], tuple[Id, ...], tuple[Id, ...], dict[Id, Id]]:
    """Added, removed, replaced and renamed ids of one split."""
    added = [id_ for id_ in now if id_ not in before]
    removed = [id_ for id_ in before if id_ not in now]
    # A copy of what is still there is no new name for it.
    times = Counter(now[id_] for id_ in added), Counter(before[id_] for id_ in removed)
    by_digest = {now[id_]: id_ for id_ in added if times[0][now[id_]] == 1}
    renamed = {
        id_: by_digest[before[id_]]
        for id_ in removed
        if times[1][before[id_]] == 1 and before[id_] in by_digest
    }
    new_names = {*renamed.values()}
    return (
        tuple(id_ for id_ in added if id_ not in new_names),
        tuple(id_ for id_ in removed if id_ not in renamed),
        tuple(id_ for id_, digest in now.items() if before.get(id_, digest) != digest),
        renamed,
    )
