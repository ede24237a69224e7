"""The ledger: every answer of an oracle, on disk before anything is done with it.

Nothing is ever rewritten: an answer that turns out wrong is corrected by a further line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.errors import LedgerError
from bgadl_tf.core.types import Id, Json, Label

_MARKS = ("correction", "withdrawn")
"""Fields of a record that stand in the file only where they are true."""


@dataclass(frozen=True)
class Record:
    """One answer.

    Attributes:
        id: Example that was asked about.
        label: Class index, or None when the oracle declined to label it.
        round: Round that asked, 0 for the initial set; of a correction, and of what nobody asked,
            the first round that it holds in.
        source: Who answered.
        correction: Whether it replaces an earlier answer; written only where it does.
        withdrawn: Whether it takes back an answer, so that there is none; written only where it
            does.

    Raises:
        LedgerError: A field has the wrong type or a number is negative.
    """

    id: Id
    label: Label | None
    round: int
    source: str
    correction: bool = False
    withdrawn: bool = False

    def __post_init__(self) -> None:
        if not _is_name(self.id):
            raise LedgerError(f"id is {self.id!r}; expected a string that is not empty")
        if self.label is not None and not _is_count(self.label):
            raise LedgerError(
                f"label of {self.id!r} is {self.label!r}; expected a class index from 0, or null"
            )
        if not _is_count(self.round):
            raise LedgerError(f"round of {self.id!r} is {self.round!r}; expected an integer from 0")
        if not _is_name(self.source):
            raise LedgerError(f"source of {self.id!r} is {self.source!r}; expected who answered")
        for name in _MARKS:
            if not isinstance(value := getattr(self, name), bool):
                raise LedgerError(f"{name} of {self.id!r} is {value!r}; expected true")
        if self.withdrawn and self.label is not None:
            raise LedgerError(f"{self.id!r} is withdrawn and labelled {self.label!r}")

    def to_json(self) -> Json:
        """As one line of the file."""
        line = dataclasses.asdict(self)
        return {name: value for name, value in line.items() if value or name not in _MARKS}

    @classmethod
    def from_json(cls, line: Json) -> Record:
        """The record of one line of the file.

        Raises:
            LedgerError: A field is missing, unknown or malformed.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if {*line, *_MARKS} != {*names}:
            expected = [name for name in names if name not in _MARKS]
            raise LedgerError(f"the fields are {sorted(line)}; expected {expected}")
        return cls(**line)


class Ledger:
    """Append-only file of records, one JSON object a line: an answer an example, and corrections.

    Ids are those of the time: an example may have been renamed since. Whether one is answered
    twice is therefore for who knows the names to see (``Labelling``).

    Opening an existing file checks all of it. A last line that a crash cut short is dropped
    from the file: the answer in it was never used.

    Args:
        path: The file; created by the first ``extend``. Its folder must exist.

    Attributes:
        path: The file.
        mended: Opening it dropped a line that had been cut short.

    Raises:
        LedgerError: A line is damaged.
        RunFolderError: The file cannot be read, or not be mended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lines, self.mended = durable.read_json_lines(path)
        self._records: list[Record] = []
        for number, line in enumerate(lines, start=1):
            try:
                self._records.append(Record.from_json(line))
            except LedgerError as error:
                raise LedgerError(
                    f"{path}, line {number}: {error}; mend or delete that line"
                ) from None

    def extend(self, records: Sequence[Record]) -> None:
        """Writes records; on return they are on disk.

        Raises:
            RunFolderError: Writing failed; the file is as before.
        """
        if records:
            durable.append_json_lines(self.path, [record.to_json() for record in records])
        self._records += records

    def records(self) -> tuple[Record, ...]:
        """Every record, in the order of the file."""
        return tuple(self._records)

    def __len__(self) -> int:
        return len(self._records)


def labels_in(records: Iterable[Record], round_: int) -> dict[Id, Label]:
    """What a round trains on: the newest label of every id that has one by then."""
    latest = {record.id: record.label for record in records if record.round <= round_}
    return {id_: label for id_, label in latest.items() if label is not None}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
