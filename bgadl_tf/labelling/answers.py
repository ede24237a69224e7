"""What has been answered so far and would be undone next, by the ledger alone.

So it is the same after a reload, a crash, or from another browser.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bgadl_tf.core.types import Id, Label
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.ledger import Record
from bgadl_tf.loop.oracles.held_back import HeldBackLabels


@dataclass(frozen=True)
class Answer:
    """An answer that is in force.

    Args:
        id: The example, by today's name.
        label: Class index; None where it was skipped.
        source: Who gave it.
        before: What was in force before it, if it is a correction.
    """

    id: Id
    label: Label | None
    source: str
    before: Answer | None = None


class _Step(NamedTuple):
    """A line of the ledger that is in force, and its number."""

    number: int
    record: Record


class Answers:
    """Reads the ledger as it grows; not for several threads at once.

    A correction that only brings back what was in force before the one above it is an undoing:
    neither of the two is there any more.

    Args:
        loop: Whose ledger it is.
    """

    def __init__(self, loop: ActiveLearner) -> None:
        self._loop = loop
        self._read = 0
        self._steps: dict[Id, list[_Step]] = defaultdict(list)
        self._order: dict[int, Id] = {}

    def recent(self, count: int) -> list[Answer]:
        """The newest answers of people, the newest first, one an example."""
        self._read_on()
        found: dict[Id, Answer] = {}
        for id_ in reversed(self._order.values()):
            if len(found) == count:
                break
            answer = self._of(id_)
            if answer is not None and answer.source != HeldBackLabels.source:
                found.setdefault(id_, answer)
        return [*found.values()]

    def of(self, id_: Id) -> Answer | None:
        """What is in force about an example; None where nothing is."""
        self._read_on()
        return self._of(id_)

    def newest_of(self, source: str) -> Answer | None:
        """What a source said last, of what is in force; None if there is nothing."""
        self._read_on()
        for number, id_ in reversed(self._order.items()):
            last = self._steps[id_][-1]
            if last.number == number and last.record.source == source:
                return self._of(id_)
        return None

    def _of(self, id_: Id) -> Answer | None:
        answer = None
        for step in self._steps.get(id_, ()):
            answer = Answer(id_, step.record.label, step.record.source, answer)
        return answer

    def _read_on(self) -> None:
        for number, record, id_ in self._new():
            steps = self._steps[id_]
            if record.withdrawn:
                for step in steps:
                    del self._order[step.number]
                del self._steps[id_]
            elif _undoes(record, steps):
                del self._order[steps.pop().number]
            else:
                steps.append(_Step(number, record))
                self._order[number] = id_

    def _new(self) -> Iterator[tuple[int, Record, Id]]:
        records, history = self._loop.journal.ledger.records(), self._loop.history
        for number in range(self._read, len(records)):
            record = records[number]
            id_ = history.now(record.id, history.starts_before_answer(number))
            if id_ is not None and self._loop.pool.knows(id_):
                yield number, record, id_
        self._read = len(records)


def _undoes(record: Record, steps: list[_Step]) -> bool:
    """Whether a record takes back the last of these and brings back the one before."""
    if len(steps) < 2 or not record.correction:
        return False
    before, last = steps[-2].record, steps[-1].record
    return last.source == record.source and before.label == record.label
