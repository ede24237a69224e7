"""Who has labelled what: the ledger's records, the pool they make, and what is still open."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import LedgerError, PoolError
from bgadl_tf.core.types import UNLABELLED, Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.class_index import class_index
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.loop.journal import Journal, queries
from bgadl_tf.loop.ledger import Record
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.pool import Pool

_NOTHING = object()


class Labelling:
    """Answers, from the first to the last, as they hold in one round; for several threads at once.

    Args:
        dataset: Its training set is the pool.
        journal: Holds the ledger, whose records are taken up again, and the queries.
        history: What the dataset was before.

    Raises:
        PoolError: The ledger does not fit the dataset.
    """

    def __init__(self, dataset: Dataset, journal: Journal, history: DatasetHistory) -> None:
        self._dataset, self._ledger, self._history = dataset, journal.ledger, history
        self._earlier = history.earlier_ids
        self.lock = threading.RLock()  # held while answers change, and by who must see none change
        self.round = len(journal.finished())
        self.pool = Pool(dataset.train.ids)
        self._newest: dict[Id, Record] = {}
        self._of_source: dict[tuple[Id, str], Label | None] = {}
        self._written: dict[tuple[Id, str], Label | None] = {}  # by names of the time
        self._given: dict[Id, Label] | None = None
        self._pending: list[tuple[Record, Id]] = []
        asked = queries(journal)
        for query in asked.values():
            if query.examples is not None:
                self.pool.admit(query.ids)
        self._corrected: list[tuple[int, Id]] = []  # from which round, and which example
        for number, record in enumerate(self._ledger.records()):
            id_ = history.now(record.id, history.starts_before_answer(number))
            if id_ in self._newest and not (record.correction or record.withdrawn):
                raise LedgerError(
                    f"{self._ledger.path}, line {number + 1}: id {record.id!r} is recorded "
                    "already; mend or delete that line"
                )
            self._take(record, id_)
        self._asked: dict[int, dict[Id, float]] = {}
        self._open: dict[int, dict[Id, float]] = {}
        self._places: dict[Id, tuple[int, int]] = {}  # round and place in its query
        for round_, query in asked.items():
            starts = journal.starts_before_query(round_)
            pairs = [(self.now(i, starts), s) for i, s in zip(query.ids, query.scores, strict=True)]
            # What went unanswered and is back is asked about by none of the finished rounds.
            over = history.arrived if round_ < self.round else ()
            left = [(id_, score) for id_, score in pairs if id_ is not None and id_ not in over]
            self.ask(round_, Query(tuple(i for i, _ in left), tuple(s for _, s in left)))

    @property
    def starts(self) -> int:
        """How many starts have been noted; see ``now``."""
        return len(self._history.starts)

    def now(self, id_: Id, starts: int) -> Id | None:
        """Today's id of what had this one after so many starts; None if it is gone."""
        return self._history.now(id_, starts)

    def _meant(self, id_: Id) -> Id:
        """The example that somebody means who may still know it by an earlier name."""
        return id_ if self.pool.knows(id_) else self.now(id_, 0) or id_

    @property
    def simulated(self) -> bool:
        """Whether the dataset held back every label when the run began."""
        return self._history.simulated

    @property
    def dataset_state(self) -> int:
        """Changes whenever the dataset does."""
        return self._history.state

    @property
    def known_ids(self) -> dict[Id, Id]:
        """What answers may be about: the pool, and what was in it or had another name once, by
        today's names.
        """
        earlier = {id_: self._meant(id_) for id_ in self._earlier}
        return {**earlier, **{id_: id_ for id_ in self.pool.ids}}

    def advance(self, round_: int) -> None:
        """Let what was told during the training of the round before hold from now on."""
        with self.lock:
            self.round = round_
            due = [told for told in self._pending if told[0].round <= round_]
            self._pending = [told for told in self._pending if told[0].round > round_]
            for record, id_ in due:
                self._apply(record, id_)

    def corrected_in(self, round_: int) -> list[Id]:
        """Labelled examples with an answer that was corrected and holds from this round on."""
        ids = dict.fromkeys(id_ for first, id_ in self._corrected if first == round_)
        return [id_ for id_ in ids if id_ in self.pool.labels]

    def ask(self, round_: int, query: Query) -> None:
        """Note what a query asks that nobody has answered."""
        self._asked[round_] = dict(zip(query.ids, query.scores, strict=True))
        self._open[round_] = self._unanswered(round_)
        self._places |= {id_: (round_, place) for place, id_ in enumerate(self._open[round_])}

    def open(self, round_: int) -> Query:
        """What is still to be answered: of the first round that a damaged ledger has lost answers
        of, else of this one.
        """
        with self.lock:
            earlier = (r for r, left in self._open.items() if left and r < round_)
            left = self._open.get(min(earlier, default=round_), {})
            return Query(tuple(left), tuple(left.values()))

    def _unanswered(self, round_: int) -> dict[Id, float]:
        """What a round asks that nobody has answered, with scores, in the order of its query."""
        return {
            id_: score
            for id_, score in self._asked.get(round_, {}).items()
            if self.pool.knows(id_) and not self.pool.is_answered(id_)
        }

    def lost(self, round_: int) -> bool:
        """Whether answers of rounds before this one are missing."""
        return any(left for earlier, left in self._open.items() if earlier < round_)

    def declined(self, query: Query) -> dict[str, float]:
        """The fact ``declined``: about how many of a query nobody would say a class; none of 0 of
        the pool's.
        """
        count = sum(self.pool.is_answered(i) and i not in self.pool.labels for i in query.ids)
        return {"declined": float(count)} if count or query.examples is not None else {}

    def tell(
        self,
        answers: Mapping[Id, Label | str | None],
        source: str,
        *,
        correct: bool = False,
        has_begun: bool = False,
    ) -> dict[Id, Label | None]:
        """Record answers, in the order of the query; see ``ActiveLearner.tell``.

        Args:
            answers: By id.
            source: Who answered.
            correct: Whether they may differ from earlier ones.
            has_begun: Whether the round trains already, so that what nobody asked for holds from
                the next one on.

        Returns:
            What was new in them, as class indices.
        """
        with self.lock:
            answers = {self._meant(id_): label for id_, label in answers.items()}
            if not correct:
                self.pool.refuse_answered(answers)
            last = (self.round + has_begun, len(self._places))
            ids = sorted(answers, key=lambda id_: self._places.get(id_, last))
            names = self._dataset.class_names
            records = []
            for id_ in ids:
                self.pool.refuse_unknown(id_)
                label, newest = class_index(id_, answers[id_], names), self._newest.get(id_)
                if newest is None:
                    records.append(Record(id_, label, self._places.get(id_, last)[0], source))
                elif not correct:
                    raise PoolError(
                        f"example {id_!r} was answered already; correct=True changes an answer"
                    )
                elif newest.label != label or self._said(id_, id_, source) not in (_NOTHING, label):
                    records.append(Record(id_, label, last[0], source, correction=True))
            self._ledger.extend(records)
            for record in records:
                self._take(record, record.id)
                self._open.get(self._places.get(record.id, last)[0], {}).pop(record.id, None)
            return {record.id: record.label for record in records}

    def withdraw(self, ids: Collection[Id], source: str, *, has_begun: bool = False) -> None:
        """Take answers back; see ``ActiveLearner.withdraw``."""
        with self.lock:
            meant = dict.fromkeys(self._meant(id_) for id_ in ids)
            for id_ in meant:
                self.pool.refuse_unknown(id_)
                answered = self.pool.answered_in(id_)
                if answered is None:
                    raise PoolError(f"example {id_!r} has no answer that could be withdrawn")
                if answered < self.round or has_begun:
                    raise PoolError(
                        f"the answer about {id_!r} is trained on already; tell(..., correct=True) "
                        "changes it"
                    )
            records = [Record(id_, None, self.round, source, withdrawn=True) for id_ in meant]
            self._ledger.extend(records)
            for record in records:
                self._take(record, record.id)
            self._open[self.round] = self._unanswered(self.round)

    def news(self, answers: Mapping[Id, Label | None], source: str) -> dict[Id, Label | None]:
        """Those of a source's answers that it has not given before.

        What it said earlier and somebody else has corrected since is no news.
        """
        found: dict[Id, Label | None] = {}
        for written, label in answers.items():
            id_ = self._meant(written)
            said = self._said(written, id_, source)
            if said is _NOTHING and (newest := self._newest.get(id_)) is not None:
                said = newest.label
            # Of several names of one example, today's counts.
            if self.pool.knows(id_) and said != label and (written == id_ or id_ not in found):
                found[id_] = label
        return found

    def _said(self, written: Id, id_: Id, source: str) -> object:
        """What a source has said last, under the name that it wrote or under today's."""
        said = self._written.get((written, source), _NOTHING)
        return self._of_source.get((id_, source), said) if said is _NOTHING else said

    def given(self) -> dict[Id, Label]:
        """Labels of the dataset that became known, or changed, after the run had begun."""
        if self._given is None:
            self._given = self._newly_given()
        self._given = {
            id_: label
            for id_, label in self._given.items()
            if id_ not in self._newest or self._newest[id_].label != label
        }
        return dict(self._given)

    def _newly_given(self) -> dict[Id, Label]:
        train, source = self._dataset.train, HeldBackLabels.source
        labels = dict(zip(train.ids, train.labels.tolist(), strict=True))
        changed = {
            id_: labels[id_]
            for id_, record in self._newest.items()
            if record.source == source
            and labels.get(id_, UNLABELLED) not in (UNLABELLED, record.label)
        }
        if self._history.simulated:
            return changed
        arrived = [id_ for id_ in self._history.arrived if id_ in labels]
        new = sorted(id_ for id_ in arrived if id_ not in self._newest)
        return changed | {i: labels[i] for i in new if labels[i] != UNLABELLED}

    def _take(self, record: Record, id_: Id | None) -> None:
        """A record of the ledger about an example by today's name, to hold at once or later."""
        if record.withdrawn:
            self._take_back(record, id_)
            return
        self._written[record.id, record.source] = record.label
        if id_ is None:
            return
        if not self.pool.knows(id_):
            if id_ not in self._earlier:
                raise PoolError(
                    f"the ledger names {id_!r}, which the dataset does not have; go on with the "
                    "run's own dataset"
                )
            return
        self._of_source[id_, record.source] = record.label
        self._newest[id_] = record
        if record.correction:
            self._corrected.append((record.round, id_))
        if record.round > self.round:
            self._pending.append((record, id_))
        else:
            self._apply(record, id_)

    def _take_back(self, record: Record, id_: Id | None) -> None:
        """As if nobody had answered; what other sources have said is no news all the same."""
        self._written.pop((record.id, record.source), None)
        if id_ in self._newest:
            self._of_source.pop((id_, record.source), None)
            del self._newest[id_]
            self._corrected = [one for one in self._corrected if one[1] != id_]
            self.pool.forget(id_)

    def _apply(self, record: Record, id_: Id) -> None:
        if self.pool.is_answered(id_):
            self.pool.correct(id_, record.label, record.round)
        elif record.label is None:
            self.pool.skip([id_], record.round)
        else:
            self.pool.label({id_: record.label}, record.round)
