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

    def remembering(self, before: Stock, changes: Changes) -> Stock:
        """The same, and what has gone by now or had before."""
        removed = {*changes.removed}
        rows = np.array(
            [
                row
                for row, (id_, gone, test) in enumerate(
                    zip(before.ids, before.gone, before.in_test, strict=True)
                )
                if (id_ not in changes.returned if gone else id_ in removed and not test)
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


@dataclass(frozen=True)
class Changes:
    """In what a dataset differs from what it was; ids, unless it says otherwise.

    Attributes:
        added: New in the training set: now in the pool.
        returned: What had gone and is among these again, with the same contents: old to new.
        removed: No longer in the training set: skipped.
        replaced: Of the training set, with other contents than before.
        renamed: Old to new, of examples of the training set with the same contents.
        relabelled: Class index that the dataset now gives, ``UNLABELLED`` where none.
        test_renamed: The same of the test set.
        test_added: New in the test set.
        test_removed: No longer in the test set.
        test_replaced: Of the test set, with other contents or another label than before.
        new_classes: Names of classes that were unknown.
    """

    added: tuple[Id, ...] = ()
    returned: Mapping[Id, Id] = field(default_factory=dict)
    removed: tuple[Id, ...] = ()
    replaced: tuple[Id, ...] = ()
    renamed: Mapping[Id, Id] = field(default_factory=dict)
    relabelled: Mapping[Id, int] = field(default_factory=dict)
    test_renamed: Mapping[Id, Id] = field(default_factory=dict)
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
            "returned": "of these back, with the answers that they had",
            "removed": "gone, skipped from now on",
            "replaced": "with other contents than before; their labels are kept, correct those "
            "that no longer hold",
            "renamed": "with new names, recognised",
            "relabelled": "with another label in the dataset than before",
            "test_renamed": "of the test set with new names, recognised",
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
    train = _difference(before.part(), before.part(gone=True), now.part())
    test = _difference(before.part(test=True), {}, now.part(test=True))
    return Changes(
        added=train.added,
        returned=train.returned,
        removed=train.removed,
        replaced=train.replaced,
        renamed=train.renamed,
        relabelled=_relabelled(before, now, train.renamed, test=False),
        test_renamed=test.renamed,
        test_added=test.added,
        test_removed=test.removed,
        test_replaced=tuple(
            dict.fromkeys([*test.replaced, *_relabelled(before, now, test.renamed, test=True)])
        ),
        new_classes=tuple(new_classes),
    )


def recognised(before: Stock, now: Stock) -> tuple[int, int]:
    """How many examples of a training set are still there, under whatever name, and of how many."""
    train = before.digests[~before.gone & ~before.in_test]
    return int(np.isin(train, now.digests).sum()), len(train)


def _relabelled(
    before: Stock, now: Stock, renamed: Mapping[Id, Id], *, test: bool
) -> dict[Id, int]:
    """Labels that an example did not have, by its name now; of those that were there before."""
    earlier = {renamed.get(i, i): label for i, label in before.labels_of(test=test).items()}
    later = now.labels_of(test=test)
    return {i: label for i, label in later.items() if earlier.get(i, label) != label}


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


class _Difference(NamedTuple):
    """Ids of one split."""

    added: tuple[Id, ...]
    returned: dict[Id, Id]
    removed: tuple[Id, ...]
    replaced: tuple[Id, ...]
    renamed: dict[Id, Id]


def _difference(
    before: Mapping[Id, int], gone: Mapping[Id, int], now: Mapping[Id, int]
) -> _Difference:
    """In what one split differs: first what is the same under its name, then under another."""
    old = {id_: digest for id_, digest in before.items() if now.get(id_) != digest}
    new = {id_: digest for id_, digest in now.items() if before.get(id_) != digest}
    renamed = _same(old, new)
    new = {id_: digest for id_, digest in new.items() if id_ not in {*renamed.values()}}
    returned = {id_: id_ for id_, digest in new.items() if gone.get(id_) == digest}
    rest = {id_: digest for id_, digest in new.items() if id_ not in returned}
    returned |= _same({i: digest for i, digest in gone.items() if i not in returned}, rest)
    left = old.keys() - renamed.keys()
    replaced = tuple(id_ for id_ in new if id_ in left and id_ not in returned.values())
    return _Difference(
        added=tuple(id_ for id_ in new if id_ not in replaced),
        returned=returned,
        removed=tuple(id_ for id_ in old if id_ in left and id_ not in replaced),
        replaced=replaced,
        renamed=renamed,
    )


def _same(old: Mapping[Id, int], new: Mapping[Id, int]) -> dict[Id, Id]:
    """Old to new of equal contents; of two that are alike which one is meant is not guessed."""
    times = Counter(old.values()), Counter(new.values())
    by_digest = {digest: id_ for id_, digest in new.items() if times[1][digest] == 1}
    return {
        id_: by_digest[digest]
        for id_, digest in old.items()
        if times[0][digest] == 1 and digest in by_digest
    }
