"""Who has labelled what: the ledger's records, the pool they make, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.journal import Journal, queries
from bgadl_tf.loop.ledger import Record
from bgadl_tf.loop.pool import Pool


class Labelling:
    """Answers, from the first to the last.

    Args:
        dataset: Its training set is the pool.
        journal: Holds the ledger, whose records are taken up again, and the queries.

    Raises:
        PoolError: The ledger does not fit the dataset.
    """

    def __init__(self, dataset: Dataset, journal: Journal) -> None:
        self._dataset, self._ledger = dataset, journal.ledger
        self.pool = Pool(dataset.train.ids)
        asked = queries(journal)
        for query in asked.values():
            if query.examples is not None:
                self.pool.admit(query.ids)
        for record in self._ledger.records():
            if record.label is None:
                self.pool.skip([record.id], record.round)
            else:
                self.pool.label({record.id: record.label}, record.round)
        self._open: dict[int, dict[Id, float]] = {}
        self._places: dict[Id, tuple[int, int]] = {}  # round and place in its query
        for round_, query in asked.items():
            self.ask(round_, query)

    def ask(self, round_: int, query: Query) -> None:
        """Note what a query asks that nobody has answered."""
        scored = zip(query.ids, query.scores, strict=True)
        self._open[round_] = {id_: s for id_, s in scored if not self.pool.is_answered(id_)}
        self._places |= {id_: (round_, place) for place, id_ in enumerate(self._open[round_])}

    def open(self, round_: int) -> Query:
        """What is still to be answered: of the first round that a damaged ledger has lost answers
        of, else of this one.
        """
        first = min((r for r, left in self._open.items() if left and r < round_), default=round_)
        left = self._open.get(first, {})
        return Query(tuple(left), tuple(left.values()))

    def lost(self, round_: int) -> bool:
        """Whether answers of rounds before this one are missing."""
        return any(left for earlier, left in self._open.items() if earlier < round_)

    def tell(
        self, answers: Mapping[Id, Label | str | None], round_: int, source: str
    ) -> dict[Id, Label | None]:
        """Record answers, in the order of the query; see ``ActiveLearner.tell``.

        Returns:
            The answers, as class indices.
        """
        self.pool.refuse_answered(answers)
        last = (round_, len(self._places))
        ids = sorted(answers, key=lambda id_: self._places.get(id_, last))
        told = {id_: self._index(id_, answers[id_]) for id_ in ids}
        rounds = {id_: self._places.get(id_, last)[0] for id_ in ids}
        self._ledger.extend([
            Record(id_, label, rounds[id_], source) for id_, label in told.items()
        ])  # fmt: skip
        for id_, label in told.items():
            if label is None:
                self.pool.skip([id_], rounds[id_])
            else:
                self.pool.label({id_: label}, rounds[id_])
            self._open.get(rounds[id_], {}).pop(id_, None)
        return told

    def _index(self, id_: Id, label: object) -> Label | None:
        """Class index of an answer.

        Raises:
            PoolError: It is no class.
        """
        names = self._dataset.class_names
        if label is None:
            return None
        if isinstance(label, str) and label in names:
            return names.index(label)
        whole = hasattr(label, "__index__") and not isinstance(label, bool)
        if whole and 0 <= label.__index__() < len(names):  # type: ignore[attr-defined]
            return int(label.__index__())  # type: ignore[attr-defined]
        raise PoolError(
            f"label of {id_!r} is {label!r}; expected 0 to {len(names) - 1}, the name of a class, "
            "or None"
        )
