"""In what a dataset differs from what it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.types import Id, Json
from bgadl_tf.loop.stock import Stock

_SHOWN = 3
_EXAMPLES = "example", "examples"


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
            "relabelled": "with another label in the dataset than before; answers of people are "
            "kept",
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


def has_same_ids(before: Stock, now: Stock) -> bool:
    """Whether an id of a training set is still there, as where every file was written anew."""
    return not before.part().keys().isdisjoint(now.part())


def _relabelled(
    before: Stock, now: Stock, renamed: Mapping[Id, Id], *, test: bool
) -> dict[Id, int]:
    """Labels that an example did not have, by its name now; of those that were there before."""
    earlier = {renamed.get(i, i): label for i, label in before.labels_of(test=test).items()}
    later = now.labels_of(test=test)
    return {i: label for i, label in later.items() if earlier.get(i, label) != label}


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
    """Old to new of equal contents. Copies may stand for each other: of several, those with one
    base name are paired, the rest in order.
    """
    places: dict[int, list[Id]] = {}
    for id_, digest in new.items():
        places.setdefault(digest, []).append(id_)
    pairs: dict[Id, Id] = {}
    for by_name in (True, False):
        for id_, digest in old.items():
            left = places.get(digest, [])
            fits = [n for n in left if not by_name or _base_name(n) == _base_name(id_)]
            if id_ not in pairs and fits:
                pairs[id_] = fits[0]
                left.remove(fits[0])
    return pairs


def _base_name(id_: Id) -> str:
    return id_.rpartition("/")[2]
