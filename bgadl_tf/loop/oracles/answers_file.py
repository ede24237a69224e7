"""A person who labels in a CSV file."""

from __future__ import annotations

import csv
import io
import logging
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import durable
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data import class_names as classes
from bgadl_tf.data.csv_table import Table, read_table
from bgadl_tf.data.id_matching import How, Ids, Match
from bgadl_tf.data.source import ExampleSource

SKIP = "skip"
COLUMNS = {"id": ("file", "filename", "image", "path"), "label": ("class",)}
"""Headers of the two columns, beside their own names."""

AS_WRITTEN = frozenset({How.EXACT, How.SPELLING})
SHOWN = 3
"""Ids that a message names at most."""

LINES_SHOWN = 20
"""Further lines that it names at most."""

_logger = logging.getLogger(__name__)


class AnswersFile:
    """A person who fills in a CSV file with the columns ``id`` and ``label``.

    A label is a class name or, unless class names are numbers themselves, a class index. A
    blank is no answer yet and the word ``skip`` declines. What spreadsheets do to CSV files is
    put up with, and so are ids that are written as paths or base names, as long as only one
    example can be meant.

    Args:
        path: The file; read anew for every call.
        class_names: Names of the classes.
        known: Ids that ``answer`` finds in the file however they are written; None to find
            those of the query as they are.

    Attributes:
        source: What ledgers call this oracle.
        unmatched: Ids, as written, of the lines that the last reading found a label in but no
            example for.

    Raises:
        DataError: A class is called ``skip``.
    """

    def __init__(
        self, path: Path, class_names: Sequence[str], known: Collection[Id] | None = None
    ) -> None:
        self.path = path
        self.source = f"file:{path.name}"
        self.unmatched: tuple[str, ...] = ()
        self._class_names, self._known = tuple(class_names), known
        if any(_folded(name) == SKIP for name in class_names):
            raise DataError(f"a class is called {SKIP!r}, which means 'not labelled' in {path}")

    def answers(self, known: Collection[Id]) -> dict[Id, Label | None]:
        """Every answer about a known example, whether it was asked about or not.

        Lines about others are reported in the log and in ``unmatched``.

        Args:
            known: Ids that there are.

        Returns:
            Class index by id, None where the person declines.

        Raises:
            DataError: The file is missing or malformed, a label is not a class, or two lines
                contradict each other.
        """
        labels, matches, lines = self._read(Ids(known))
        self.unmatched = tuple(text for text, match in matches.items() if match is None)
        self._report([(text, match) for text, match in matches.items() if match])
        if self.unmatched:
            unused = {text: lines[text] for text in self.unmatched}
            _logger.warning("%s", unmatched_message(self.path, unused, known))
        return {match.id: labels[match.id] for match in matches.values() if match}

    def answer(self, query: Query, examples: ExampleSource) -> Mapping[Id, Label | None]:
        """See ``Oracle.answer``; lines about other ids are checked, then left out.

        Raises:
            DataError: As for ``answers``.
        """
        if self._known is None:
            answers, _, _ = self._read(Ids(()))
        else:
            answers = self.answers({*self._known, *query.ids})
        return {id_: answers[id_] for id_ in query.ids if id_ in answers}

    def _read(
        self, ids: Ids
    ) -> tuple[dict[str, Label | None], dict[str, Match | None], dict[str, list[int]]]:
        """Labels by id, as written where it matches none; and what each written id matches, and
        in which lines it is.
        """
        labels: dict[str, Label | None] = {}
        matches: dict[str, Match | None] = {}
        lines: dict[str, int] = {}
        written_in: dict[str, list[int]] = {}
        for line, written, text in labelled(read_table(self.path, COLUMNS)):
            label = self._parse(text, line)
            match = matches.setdefault(written, ids.find(written))
            written_in.setdefault(written, []).append(line)
            id_ = written if match is None else match.id
            if labels.setdefault(id_, label) != label:
                raise DataError(
                    f"{self.path}: line {lines[id_]} and line {line} give {id_!r} different "
                    "labels; keep one of them"
                )
            lines.setdefault(id_, line)
        return labels, matches, written_in

    def _parse(self, text: str, line: int) -> Label | None:
        if _folded(text) == SKIP:
            return None
        names = self._class_names
        try:
            index = classes.index_of(text, names)
        except ValueError as error:
            raise DataError(f"{self.path}, line {line}: label {error}") from None
        if index is not None:
            return index
        written = text.strip()
        message = (
            f"{self.path}, line {line}: label {written!r} is not a class; allowed: "
            f"{classes.allowed(names)}, {SKIP}, or blank for not yet"
        )
        if (close := classes.resembling(written, names)) is not None:
            message += f"; did you mean {close!r}?"
        if classes.has_numbers(names) or not classes.has_numbers([written]):
            message += f"; a new class needs --new-class {shlex.quote(written)}"
        raise DataError(message)

    def _report(self, matched: Sequence[tuple[str, Match]]) -> None:
        """Says which ids were not taken as they are written."""
        loose = [(text, match) for text, match in matched if match.how not in AS_WRITTEN]
        if loose:
            text, match = loose[0]
            _logger.info(
                "%s: %d ids are not written in full, such as %r, which matched %r %s",
                self.path, len(loose), text, match.id, match.how.value,
            )  # fmt: skip


def unmatched_message(
    path: Path, unmatched: Mapping[str, Sequence[int]], known: Collection[Id]
) -> str:
    """One line about labels that nobody can be given.

    Args:
        path: The file that they are in.
        unmatched: In which lines each id is, as written; at least one.
        known: Ids that there are.
    """
    named = [*unmatched.items()][:SHOWN]
    first = ", ".join(f"{text!r} ({_lines(lines)})" for text, lines in named)
    rest = [line for lines in [*unmatched.values()][SHOWN:] for line in lines]
    more = f" and {len(unmatched) - SHOWN} more ({_lines(sorted(rest))})" if rest else ""
    example = next((f", such as {id_!r}" for id_ in known), "")
    return (
        f"{path}: labels of {len(unmatched)} ids are not used, since they are no id of the "
        f"dataset, or the end of several: {first}{more}; write ids as they are there{example}"
    )


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:LINES_SHOWN]))
    return f"line{'s' * (len(numbers) > 1)} {shown}{', …' * (len(numbers) > LINES_SHOWN)}"


def labelled(table: Table) -> Iterator[tuple[int, str, str]]:
    """(line, id, label), as written, of the rows that hold a label.

    Raises:
        DataError: A row has a label but no id.
    """
    for line, record in table.records():
        id_, label = record["id"], record["label"]
        if not _folded(label):
            continue
        if not id_.strip():
            raise DataError(f"{table.path}, line {line} has label {label!r} but no id")
        yield line, id_, label


def write_template(path: Path, ids: Iterable[Id], known: Collection[Id] | None = None) -> bool:
    """Writes the CSV file to fill in, atomically.

    What an existing file holds stays as it is, byte for byte; rows for ids that it lacks are
    added below. A file with labels that match none of ``known`` is somebody's work on
    something else, or on this under other names: nothing is added to it.

    Args:
        path: The file.
        ids: Examples to ask about.
        known: Ids that there are, or were when a label may have been filled in; None to find
            those of ``ids`` as they are and to add in any case.

    Returns:
        Whether it wrote.

    Raises:
        DataError: An existing file is malformed; it is left alone.
        RunFolderError: The file cannot be written.
    """
    wanted = dict.fromkeys(ids)
    if not path.exists():
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(
            [["id", "label"], *([id_, ""] for id_ in wanted)]
        )
        durable.atomic_write_text(path, buffer.getvalue())
        return True
    table = read_table(path, COLUMNS)
    there = {record["id"] for _, record in table.records()}
    if known is not None:
        matcher = Ids({*known, *wanted})
        if any(matcher.match(written) is None for _, written, _ in labelled(table)):
            return False
        there = {id_ for written in there if (id_ := matcher.match(written)) is not None}
    missing = [id_ for id_ in wanted if id_ not in there]
    if missing:
        durable.atomic_write_bytes(path, table.appended({"id": id_} for id_ in missing))
    return bool(missing)


def _folded(text: str) -> str:
    return text.strip().casefold()
