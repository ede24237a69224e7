"""The pool: which ids are unlabelled, which are labelled since which round, which were skipped."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Label, Labels


class Pool:
    """Ids of a training set, and what the oracle has said about them.

    Every id is in one of three places: unlabelled, labelled, or skipped (the oracle declined
    to label it). A method that raises has changed nothing.

    Args:
        ids: Every id that may be asked about, in the order of the dataset.

    Raises:
        PoolError: An id occurs twice.
    """

    def __init__(self, ids: Sequence[Id]) -> None:
        self._ids = tuple(ids)
        _refuse_repeats(self._ids)
        self._places = {id_: place for place, id_ in enumerate(self._ids)}
        self._labels: dict[Id, Label] = {}
        self._rounds: dict[Id, int] = {}
        self._skipped: dict[Id, int] = {}

    def admit(self, ids: Sequence[Id]) -> None:
        """Takes in ids of examples that were synthesised; their place is after all others.

        Raises:
            PoolError: An id is taken or given twice.
        """
        _refuse_repeats(ids)
        if taken := [id_ for id_ in ids if id_ in self._places]:
            raise PoolError(f"id {taken[0]!r} occurs twice; ids must be unique")
        self._places.update((id_, len(self._ids) + place) for place, id_ in enumerate(ids))
        self._ids += tuple(ids)

    def label(self, answers: Mapping[Id, Label], round_: int) -> None:
        """Moves ids into the labelled set.

        Args:
            answers: Class index of each id, in the order answered.
            round_: Round that asked; 0 for the initial set.

        Raises:
            PoolError: An id is unknown, labelled or skipped already, a label is not a class
                index.
        """
        self.refuse_answered(answers)
        for id_, label in answers.items():
            if not _is_class_index(label):
                raise PoolError(f"label of {id_!r} is {label!r}; expected a class index from 0")
        self._labels.update((id_, int(label)) for id_, label in answers.items())
        self._rounds.update((id_, round_) for id_ in answers)

    def skip(self, ids: Sequence[Id], round_: int) -> None:
        """Takes ids out of the pool that the oracle declined to label.

        Raises:
            PoolError: An id is unknown, given twice, labelled or skipped already.
        """
        _refuse_repeats(ids)
        self.refuse_answered(ids)
        self._skipped.update((id_, round_) for id_ in ids)

    def correct(self, id_: Id, label: Label | None, round_: int) -> None:
        """Changes what was said about an id; its place among the labelled ones stays.

        Args:
            id_: Labelled or skipped.
            label: Its class index; None to take it out of the labelled set.
            round_: The round that it counts as labelled in, if it was skipped.

        Raises:
            PoolError: Nothing was said about it yet, or the label is no class index.
        """
        if not self.is_answered(id_):
            raise PoolError(f"example {id_!r} has no answer yet that could be corrected")
        if label is None:
            self._labels.pop(id_, None)
            self._rounds.pop(id_, None)
            self._skipped.setdefault(id_, round_)
            return
        if not _is_class_index(label):
            raise PoolError(f"label of {id_!r} is {label!r}; expected a class index from 0")
        self._skipped.pop(id_, None)
        self._labels[id_] = int(label)
        self._rounds.setdefault(id_, round_)

    def forget(self, id_: Id) -> None:
        """Takes back what was said about an id, which is unlabelled again.

        Raises:
            PoolError: Nothing was said about it yet.
        """
        if not self.is_answered(id_):
            raise PoolError(f"example {id_!r} has no answer yet that could be taken back")
        for said in (self._labels, self._rounds, self._skipped):
            said.pop(id_, None)

    @property
    def ids(self) -> tuple[Id, ...]:
        """Every id, in the order of the dataset."""
        return self._ids

    @property
    def labelled_ids(self) -> tuple[Id, ...]:
        """The labelled set, in the order answered."""
        return tuple(self._labels)

    @property
    def labels(self) -> Mapping[Id, Label]:
        """Class index of every labelled id, a read-only view."""
        return types.MappingProxyType(self._labels)

    @property
    def unlabelled_ids(self) -> tuple[Id, ...]:
        """Ids that may still be asked about, in the order of the dataset."""
        gone = self._labels.keys() | self._skipped.keys()
        return tuple(id_ for id_ in self._ids if id_ not in gone)

    @property
    def skipped(self) -> tuple[Id, ...]:
        """Ids the oracle declined to label, in the order it did."""
        return tuple(self._skipped)

    @property
    def labelled_count(self) -> int:
        """Size of the labelled set."""
        return len(self._labels)

    @property
    def unlabelled_count(self) -> int:
        """Number of ids that may still be asked about."""
        return len(self._ids) - len(self._labels) - len(self._skipped)

    def round_of(self, id_: Id) -> int:
        """Round in which ``id_`` was labelled, 0 for the initial set.

        Raises:
            PoolError: ``id_`` is not labelled.
        """
        if id_ not in self._rounds:
            raise PoolError(f"example {id_!r} is not labelled")
        return self._rounds[id_]

    def answered_in(self, id_: Id) -> int | None:
        """Round in which ``id_`` was labelled or skipped; None if it was not."""
        return self._rounds.get(id_, self._skipped.get(id_))

    def labels_of(self, ids: Sequence[Id]) -> Labels:
        """Labels of labelled ids, in that order, int32 ``[len(ids)]``."""
        return np.array([self._labels[id_] for id_ in ids], dtype=np.int32)

    def place_of(self, id_: Id) -> int:
        """Place of ``id_`` in the order of the dataset."""
        return self._places[id_]

    def is_answered(self, id_: Id) -> bool:
        """Whether ``id_`` is labelled or was skipped."""
        return id_ in self._labels or id_ in self._skipped

    def knows(self, id_: Id) -> bool:
        """Whether an example has this id."""
        return id_ in self._places

    def refuse_unknown(self, id_: Id) -> None:
        """Make sure that there is such an id.

        Raises:
            PoolError: There is not.
        """
        if id_ not in self._places:
            raise PoolError(f"no example of the pool is called {id_!r}")

    def refuse_answered(self, ids: Iterable[Id]) -> None:
        """Make sure that ids may be labelled or skipped.

        Raises:
            PoolError: An id is unknown, labelled or skipped already.
        """
        for id_ in ids:
            self.refuse_unknown(id_)
            if id_ in self._labels:
                raise PoolError(
                    f"example {id_!r} was labelled in round {self._rounds[id_]} already; "
                    "correct=True changes an answer"
                )
            if id_ in self._skipped:
                raise PoolError(
                    f"example {id_!r} was skipped already; correct=True changes an answer"
                )

    def candidates(self, count: int, rng: np.random.Generator) -> tuple[Id, ...]:
        """Draws the unlabelled ids that a round scores, without replacement.

        Args:
            count: How many; 0, or more than there are, means all.
            rng: What draws.

        Returns:
            Ids in the order of the dataset.

        Raises:
            PoolError: ``count`` is negative.
        """
        if count < 0:
            raise PoolError(f"{count} candidates were asked for; expected 0 (all) or more")
        unlabelled = self.unlabelled_ids
        if not 0 < count < len(unlabelled):
            return unlabelled
        rows = np.sort(rng.choice(len(unlabelled), size=count, replace=False))
        return tuple(unlabelled[row] for row in rows)

    def check(self) -> None:
        """Makes sure that every id is in exactly one place.

        Raises:
            PoolError: An invariant is broken.
        """
        labelled, skipped = set(self._labels), set(self._skipped)
        unlabelled = self.unlabelled_ids
        broken = {
            "an id is labelled and skipped": labelled & skipped,
            "an id is unlabelled and elsewhere": set(unlabelled) & (labelled | skipped),
            "an id is nowhere": self._places.keys() - labelled - skipped - set(unlabelled),
            "an id is unknown": (labelled | skipped) - self._places.keys(),
            "labels and rounds name different ids": labelled ^ set(self._rounds),
            "the counts do not add up": len(unlabelled) != self.unlabelled_count,
        }
        if messages := [message for message, found in broken.items() if found]:
            raise PoolError(f"the pool is inconsistent: {'; '.join(messages)}")


def _is_class_index(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return False
    return int(value) >= 0


def _refuse_repeats(ids: Sequence[Id]) -> None:
    seen: set[Id] = set()
    for id_ in ids:
        if id_ in seen:
            raise PoolError(f"id {id_!r} occurs twice; ids must be unique")
        seen.add(id_)
