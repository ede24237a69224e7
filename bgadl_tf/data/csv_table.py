"""CSV files as spreadsheets make them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import DataError

DELIMITERS = (",", ";", "\t", "|")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_END = "end of the file"
_SEPARATOR = re.compile(r'"?sep=([^"\w\s]|[\t ])"?[;,\t ]*(\r\n|\r|\n|$)', re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A CSV file that was read.

    Attributes:
        path: Where from.
        delimiter: Between cells.
        columns: Position of each column that is there, by its canonical name.
        header: The cells of the first row.
        rows: Rows below the header that are not blank, each with the number of its last line.
        names: Canonical names of all columns, also of those that are optional and lacking.
        content: The bytes of the file.
        encoding: Of these bytes, behind their byte order mark.
    """

    path: Path
    delimiter: str
    columns: Mapping[str, int]
    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    names: Sequence[str]
    content: bytes
    encoding: str

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(line, cells by canonical name) of every row; what a row lacks is an empty text."""
        for line, cells in self.rows:
            record = dict.fromkeys(self.names, "")
            for name, position in self.columns.items():
                if position < len(cells):
                    record[name] = cells[position]
            yield line, record

    def appended(self, records: Iterable[Mapping[str, str]]) -> bytes:
        """The file with rows below what it holds, which stays as it is, byte for byte.

        Where an addition cannot be written in the encoding of the file, all of it becomes
        UTF-8 with a byte order mark.

        Args:
            records: Cells by canonical name; other columns stay blank.
        """
        text = self.content.decode(self.encoding)
        ending = next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")
        buffer = io.StringIO()
        if not text.endswith(("\r", "\n")):
            buffer.write(ending)
        writer = csv.writer(buffer, delimiter=self.delimiter, lineterminator=ending)
        for record in records:
            cells = [""] * len(self.header)
            for name, value in record.items():
                cells[self.columns[name]] = value
            writer.writerow(cells)
        try:
            return self.content + buffer.getvalue().encode(self.encoding)
        except UnicodeEncodeError:
            return codecs.BOM_UTF8 + (text + buffer.getvalue()).encode()


def read_table(
    path: Path, columns: Mapping[str, Sequence[str]], optional: Collection[str] = ()
) -> Table:
    """Reads a CSV file whose first row names its columns, in any order, beside others.

    Understood are commas, semicolons, tabs and bars, byte order marks, UTF-8, UTF-16 and
    Windows-1252, Excel's ``sep=;``, quotes, blank rows and every line ending.

    Args:
        path: The file.
        columns: Headers that are accepted, by canonical name, which is one itself; their case
            and blanks around them do not matter.
        optional: Canonical names of columns that may be lacking.

    Raises:
        DataError: The file is missing, is not CSV, lacks a column or has one twice.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    encoding, text = _decoded(path, content)
    preamble = _SEPARATOR.match(text)
    delimiters = (preamble[1], *DELIMITERS) if preamble else DELIMITERS
    skipped = preamble.end() if preamble else 0
    lines_above = 1 if preamble else 0
    accepted = {
        name: list(dict.fromkeys(map(_folded, (name, *headers))))
        for name, headers in columns.items()
    }
    required = [name for name in columns if name not in optional]
    readings = [(each, _first_row(text[skipped:], each)) for each in delimiters]
    fitting = (
        reading
        for reading in readings
        if all(_positions(reading[1], accepted[name]) for name in required)
    )
    delimiter, header = next(fitting, ("", []))
    if not delimiter:
        raise _lacking(path, max((cells for _, cells in readings), key=len), accepted, required)
    found = {name: _positions(header, headers) for name, headers in accepted.items()}
    for name, positions in found.items():
        if len(positions) > 1:
            raise DataError(
                f"{path} has {len(positions)} columns {header[positions[0]].strip()!r}; rename "
                f"all but the one that is the {name}"
            )
    rows = _rows(path, text[skipped:], delimiter, lines_above)
    return Table(
        path=path,
        delimiter=delimiter,
        columns={name: positions[0] for name, positions in found.items() if positions},
        header=header,
        rows=rows[1:],
        names=tuple(columns),
        content=content,
        encoding=encoding,
    )


def _decoded(path: Path, content: bytes) -> tuple[str, str]:
    """Encoding and text of a file, both behind its byte order mark."""
    if content.startswith(_WORKBOOKS):
        raise DataError(f"{path} is a spreadsheet's own file; save it as 'CSV UTF-8' instead")
    mark, encoding = next(
        ((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "")
    )
    # Without a mark, text of Western letters has a zero in every second byte.
    half = content[:200]
    if not mark and half and not any(half[1::2]) and len(half) > 1:
        encoding = "utf-16-le"
    elif not mark and half and not any(half[0::2]) and len(half) > 1:
        encoding = "utf-16-be"
    for candidate in (encoding,) if encoding else ("utf-8", "cp1252"):
        try:
            text = content[len(mark) :].decode(candidate)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return candidate, text
    raise DataError(f"{path} is not text, or in an unknown encoding; save it as 'CSV UTF-8'")


def _first_row(text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return next((cells for cells in reader if _filled(cells)), [])
    except csv.Error:
        return []


def _rows(
    path: Path, text: str, delimiter: str, lines_above: int
) -> list[tuple[int, Sequence[str]]]:
    """Every row that is not blank, the header first, with the number of its last line."""
    # A quote that is never closed would swallow all rows below it, and this end with them.
    reader = csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter)
    rows: list[tuple[int, Sequence[str]]] = []
    cells: Sequence[str] = ()
    try:
        for cells in reader:
            if _filled(cells):
                rows.append((reader.line_num + lines_above, cells))
    except csv.Error as error:
        line = reader.line_num + lines_above
        raise DataError(f"{path}, line {line} is not CSV: {error}") from None
    if cells != [_END]:
        line = (rows[-2][0] if len(rows) > 1 else lines_above) + 1
        raise DataError(f"{path} is not CSV: a quote at or below line {line} is never closed")
    return rows[:-1]


def _filled(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _positions(header: Sequence[str], accepted: Sequence[str]) -> list[int]:
    """Columns under the first of the accepted headers that is there."""
    folded = [_folded(cell) for cell in header]
    for name in accepted:
        if name in folded:
            return [position for position, cell in enumerate(folded) if cell == name]
    return []


def _lacking(
    path: Path,
    header: Sequence[str],
    accepted: Mapping[str, Sequence[str]],
    required: Sequence[str],
) -> DataError:
    if not any(cell.strip(" ,;|\t") for cell in header):
        return DataError(f"{path} is empty; expected a first line {','.join(required)}")
    lacking = [name for name in required if not _positions(header, accepted[name])]
    lacking = lacking or list(required)
    wanted = " and ".join(
        repr(name) + "".join(f" or {other!r}" for other in accepted[name][1:]) for name in lacking
    )
    there = ", ".join(repr(cell.strip()) for cell in header[:20])
    return DataError(
        f"the first line of {path} lacks the column{'s' * (len(lacking) > 1)} {wanted}; it has "
        f"{there}"
    )


def _folded(text: str) -> str:
    return text.strip().casefold()
