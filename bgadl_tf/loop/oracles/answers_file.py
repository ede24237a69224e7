"""A person who labels in a CSV file."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import durable
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.source import ExampleSource

SKIP = "skip"


class AnswersFile:
    """A person who fills in a CSV file with the columns ``id`` and ``label``.

    A label is a class name or, unless class names are numbers themselves, a class index. A
    blank is no answer yet and the word ``skip`` declines. What spreadsheets do to CSV files is
    put up with: byte order marks, semicolons or tabs, quotes, line endings, columns of their
    own, ``3.0`` for ``3``.

    Args:
        path: The file; read anew for every ``answer``.
        class_names: Names of the classes.

    Attributes:
        source: What ledgers call this oracle.

    Raises:
        DataError: A class is called ``skip``.
    """

    def __init__(self, path: Path, class_names: Sequence[str]) -> None:
        self.path = path
        self.source = f"file:{path.name}"
        self._class_names = tuple(class_names)
        if any(_folded(name) == SKIP for name in class_names):
            raise DataError(f"a class is called {SKIP!r}, which means 'not labelled' in {path}")

    def answer(self, query: Query, examples: ExampleSource) -> Mapping[Id, Label | None]:
        """See ``Oracle.answer``; lines about other ids are checked, then left out.

        Raises:
            DataError: The file is missing or malformed, a label is not a class, or two lines
                contradict each other.
        """
        answers: dict[Id, Label | None] = {}
        lines: dict[Id, int] = {}
        for line, id_, text in _read_table(self.path).answers():
            if not _folded(text):
                continue
            if not id_:
                raise DataError(f"{self.path}, line {line} has label {text!r} but no id")
            label = self._parse(text, line)
            if id_ in answers and answers[id_] != label:
                raise DataError(
                    f"{self.path}: line {lines[id_]} and line {line} give {id_!r} different "
                    "labels; keep one of them"
                )
            answers[id_] = label
            lines.setdefault(id_, line)
        return {id_: answers[id_] for id_ in query.ids if id_ in answers}

    def _parse(self, text: str, line: int) -> Label | None:
        if _folded(text) == SKIP:
            return None
        whole = re.sub(r"\.0+$", "", text.strip())
        names = self._class_names
        for candidate in (text.strip(), whole):
            if candidate in names:
                return names.index(candidate)
            alike = [i for i, name in enumerate(names) if _folded(name) == _folded(candidate)]
            if len(alike) == 1:
                return alike[0]
        # An index beside numeric names would be ambiguous: '1' of ('1', '2', '3') is index 0.
        indices = not any(re.fullmatch(r"[0-9]+", name.strip()) for name in names)
        if indices and re.fullmatch(r"[0-9]{1,9}", whole) and int(whole) < len(names):
            return int(whole)
        allowed = ", ".join(names) + (f", an index from 0 to {len(names) - 1}" if indices else "")
        raise DataError(
            f"{self.path}, line {line}: label {text!r} is not a class; allowed: {allowed}, "
            f"{SKIP}, or blank for not yet"
        )


def write_template(path: Path, ids: Sequence[Id]) -> None:
    """Writes the CSV file to fill in, atomically.

    What an existing file holds stays: its answers, columns and order. Ids it lacks are added.

    Args:
        path: The file.
        ids: Examples to ask about.

    Raises:
        DataError: An existing file is malformed; it is left alone.
        RunFolderError: The file cannot be written.
    """
    table = _read_table(path) if path.exists() else _Table(",", "", [(1, ["id", "label"])])
    known = {id_ for _, id_, _ in table.answers()}
    missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in known]
    if not missing and path.exists():
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=table.delimiter, lineterminator="\n")
    writer.writerows(cells for _, cells in table.rows)
    id_column, _ = table.columns()
    for id_ in missing:
        writer.writerow([id_ if i == id_column else "" for i in range(len(table.rows[0][1]))])
    durable.atomic_write_text(path, table.mark + buffer.getvalue())


class _Table(NamedTuple):
    """A CSV file: rows with their line numbers, the header first."""

    delimiter: str
    mark: str
    rows: list[tuple[int, list[str]]]

    def columns(self) -> tuple[int, int]:
        """Positions of the columns ``id`` and ``label``."""
        names = [_folded(cell) for cell in self.rows[0][1]]
        return names.index("id"), names.index("label")

    def answers(self) -> Iterator[tuple[int, Id, str]]:
        """(line, id, label as written) of every row."""
        id_column, label_column = self.columns()
        for line, cells in self.rows[1:]:
            padded = [*cells, *[""] * (max(id_column, label_column) + 1 - len(cells))]
            yield line, padded[id_column], padded[label_column]


def _read_table(path: Path) -> _Table:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the answers in {path}: {error.strerror}") from error
    try:
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as 'CSV UTF-8'") from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    for delimiter in (",", ";", "\t"):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            rows = [(reader.line_num, cells) for cells in reader if any(cells)]
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num} is not CSV: {error}") from None
        if rows and {"id", "label"} <= {_folded(cell) for cell in rows[0][1]}:
            return _Table(delimiter, mark, rows)
    raise DataError(f"the first line of {path} lacks the columns 'id' and 'label'")


def _folded(text: str) -> str:
    return text.strip().casefold()
