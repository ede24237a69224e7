"""What the dataset of a run was at its first start, and what has changed at later ones.

Kept as ``dataset.jsonl``: a line for the first start, and one for every later start that found
something changed, with what differs. Images that were added join the pool, images that are gone
are skipped, classes keep their order.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property

from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.types import UNLABELLED, Id, Json
from bgadl_tf.data.class_names import has_numbers
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.loop.changes import Changes, compare, has_same_ids, recognised
from bgadl_tf.loop.journal import Journal, Moment
from bgadl_tf.loop.names import Names
from bgadl_tf.loop.stock import Stock

logger = logging.getLogger(__name__)

_STOCK = "dataset"


class DatasetHistory:
    """The dataset of a run, from its first start on.

    Args:
        journal: Keeps it; may still be unopened to look at it.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.starts = [*journal.dataset_starts()]
        self._written = len(self.starts)
        self._new_stock: Stock | None = None
        self._names = Names(self.starts)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order in which they became known; none before the first start."""
        return tuple(self.starts[-1]["classes"]) if self.starts else ()

    @property
    def class_counts(self) -> list[int]:
        """How many classes there were, from the first start on, whenever it was another number."""
        return [*dict.fromkeys(len(start["classes"]) for start in self.starts)]

    @property
    def state(self) -> int:
        """Number of what the dataset is made of: another one after every change."""
        return int(self.starts[-1]["state"])

    @property
    def simulated(self) -> bool:
        """Whether the dataset held back every label when the run began."""
        return bool(self.starts) and bool(self.starts[0]["simulated"])

    @property
    def test_sets(self) -> int:
        """How often the test set has become another one."""
        kinds = "test_added", "test_removed", "test_replaced"
        return sum(any(kind in start for kind in kinds) for start in self.starts)

    def split_before(self) -> EarlierSplit | None:
        """What was held out at the newest start, and what is labelled; None before the first."""
        stock = self._stock()
        if stock is None:
            return None
        digests, labelled = stock.part(), set()
        for number, id_ in self._journal.labelled():
            labelled.add(self.now(id_, self.starts_before_answer(number)))
        return EarlierSplit(
            test=stock.part(test=True),
            labelled={id_: digests[id_] for id_ in labelled if id_ in digests},
        )

    @cached_property
    def arrived(self) -> frozenset[Id | None]:
        """What was added, or first given a label, after the run had begun, by its name now."""
        return frozenset(
            self.now(id_, number)
            for number, start in enumerate(self.starts, start=1)
            for id_ in (*start.get("added", ()), *start.get("relabelled", ()))
        )

    @cached_property
    def earlier_ids(self) -> frozenset[Id]:
        """Ids of what has gone, and names that examples had before."""
        keys = "removed", "renamed"
        return frozenset(id_ for s in self.starts for key in keys for id_ in s.get(key, ()))

    def now(self, id_: Id, starts: int) -> Id | None:
        """Today's id of what had this one after so many starts; None if it is gone."""
        return self._names.now(id_, starts)

    def starts_before_answer(self, number: int) -> int:
        """How many starts had been noted when the ledger got its line of this number."""
        return sum(start.get("answers", 0) <= number for start in self.starts)

    def ordered(self, dataset: Dataset) -> Dataset:
        """The dataset with its classes in the order in which they became known."""
        return dataset.in_order(self.class_names) if self.starts else dataset

    def start(self, dataset: Dataset, round_: int) -> None:
        """Find out what has changed since the start before; not on disk before ``keep``.

        Args:
            dataset: As it is now, in order.
            round_: The first round that is of it.

        Raises:
            DataError: An example cannot be read.
            RunFolderError: It is another dataset than the run's.
        """
        before = self._stock()
        stock = Stock.take(dataset, before)
        changes = Changes()
        if before is not None:
            self._refuse_another(dataset, before, stock)
            new = dataset.class_names[len(self.class_names) :]
            self.refuse_numbers(new)
            changes = compare(before, stock, new)
            if not changes.to_json() and self.starts[-1]["dataset"] == dataset.name:
                return
            for line in changes.lines():
                logger.warning("%s: %s", dataset.name, line)
        self._new_stock = (
            stock
            if before is None
            else stock.remembering(before, changes.removed, changes.returned)
        )
        number = len(self.starts)
        unlabelled = int((dataset.train.labels == UNLABELLED).sum())
        self._append(
            {
                "start": number,
                "round": round_,
                "dataset": dataset.name,
                "fingerprint": stock.fingerprint(dataset.class_names),
                "train": len(dataset.train),
                "unlabelled": unlabelled,
                "test": len(dataset.test),
                "classes": [*dataset.class_names],
                "simulated": not unlabelled,
                "state": number,
                "answers": len(self._journal.ledger),
                **changes.to_json(),
                **_named("left_out", dataset.intake.left_out),
                **_named("unreadable", dataset.intake.unreadable),
            }
        )

    def add_class(self, dataset: Dataset, name: str, round_: int) -> Dataset:
        """Note a class that no example has yet; the dataset with it.

        Raises:
            ConfigError: Its name is a number, and no other is.
        """
        self.refuse_numbers([name])
        grown = dataclasses.replace(dataset, class_names=(*dataset.class_names, name))
        self._append(
            {
                **{k: v for k, v in self.starts[-1].items() if k in _STATE},
                "start": len(self.starts),
                "round": round_,
                "answers": len(self._journal.ledger),
                "classes": [*grown.class_names],
                "new_classes": [name],
            }
        )
        return grown

    def refuse_numbers(self, new: Sequence[str]) -> None:
        """Make sure that answers that were given as indices of classes keep their meaning.

        Raises:
            ConfigError: A new class is called by a number, and no class was.
        """
        numbers = [name for name in new if has_numbers([name])]
        if numbers and self.class_names and not has_numbers(self.class_names):
            raise ConfigError(
                f"the new class {numbers[0]!r} is called by a number, and numbers in answers are "
                f"indices as long as no class is; call it otherwise, e.g. 'class {numbers[0]}'"
            )

    def keep(self, moment: Moment | None) -> None:
        """Put what is new on disk, once the run is known to go on with it.

        Args:
            moment: The newest one that the weights are of; None where there are none.
        """
        if self._new_stock is not None:
            self._journal.keep(self.starts[-1]["state"], _STOCK, self._new_stock.to_arrays())
            self._new_stock = None
        for start in self.starts[self._written :]:
            start["moment"] = None if moment is None else [*moment]
            self._journal.begin_dataset(start)
        self._written = len(self.starts)

    def _append(self, start: Json) -> None:
        self.starts.append(start)
        self._names = Names(self.starts)
        for cached in ("arrived", "earlier_ids"):
            self.__dict__.pop(cached, None)

    def _stock(self) -> Stock | None:
        if not self.starts:
            return None
        if self._new_stock is not None:
            return self._new_stock
        arrays = self._journal.kept(self.starts[-1]["state"], _STOCK)
        if arrays is None:
            raise RunFolderError("what the dataset was made of is missing from the run folder")
        return Stock.from_arrays(arrays)

    def _refuse_another(self, dataset: Dataset, before: Stock, now: Stock) -> None:
        """A dataset of another name must be mostly the same, one of the same name a little.

        Files that were all written anew have other contents, but the names that they had.
        """
        name, (found, count) = self.starts[-1]["dataset"], recognised(before, now)
        needed = 1 if name == dataset.name else (count + 1) // 2
        if found < needed and not (name == dataset.name and has_same_ids(before, now)):
            raise RunFolderError(
                f"the run is on dataset {name!r}, of whose {count} training examples {found} are "
                f"in {dataset.name!r}; go on with that one, or use another folder for the run"
            )


_STATE = ("dataset", "fingerprint", "train", "unlabelled", "test", "simulated", "state")


def _named(name: str, reasons: Mapping[str, str]) -> Json:
    return {name: dict(reasons)} if reasons else {}
