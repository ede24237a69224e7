"""The labels of a folder's images in a CSV file (``--labels FILE``)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data import split_names
from bgadl_tf.data.csv_table import read_table
from bgadl_tf.data.id_matching import How, Ids
from bgadl_tf.data.intake import SHOWN, counted
from bgadl_tf.data.split_names import Role

COLUMNS = {
    "id": ("image", "image_id", "file", "filename", "file_name", "path", "name"),
    "label": ("class", "class_name", "category", "target", "species"),
    "split": ("set", "subset"),
}
"""What the columns may be called."""

_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?(e[+-]?[0-9]{1,2})?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")


class Row(NamedTuple):
    """What the file says about an image.

    Attributes:
        label: Name of a class; empty where it says none.
        split: Where the image belongs; None where it says nothing.
        line: Number of the line, for messages.
    """

    label: str
    split: Role | None
    line: int


class LabelFile(NamedTuple):
    """What a file says.

    Attributes:
        rows: By id of an image.
        numbers: Whether all labels are numbers.
        notes: What was assumed.
    """

    rows: dict[Id, Row]
    numbers: bool
    notes: list[str]


def find(argument: str, root: Path) -> Path:
    """The file: relative to the working folder, or else to the dataset's."""
    path = Path(argument).expanduser()
    return root / path if not path.exists() and (root / path).exists() else path


def read(path: Path, images: Collection[Id]) -> LabelFile:
    """Reads a file of labels.

    Args:
        path: The file.
        images: Ids of all images.

    Raises:
        DataError: It cannot be read, names no image at all, says two things about one, or has a
            split of an unknown name.
    """
    ids = Ids(images)
    rows: dict[Id, list[Row]] = {}
    unmatched: list[tuple[int, str]] = []
    ways: dict[How, list[str]] = {}
    for line, record in read_table(path, COLUMNS, optional=("split",)).records():
        text, label = record["id"].strip(), unicodedata.normalize("NFC", record["label"].strip())
        match = ids.find(record["id"])
        if match is None:
            unmatched.append((line, text))
            continue
        if match.how is not How.EXACT:
            ways.setdefault(match.how, []).append(f"{text!r} is {match.id!r}")
        row = Row(label, _role(path, line, record["split"]), line)
        rows.setdefault(match.id, []).append(row)
    if not rows:
        raise DataError(_none_matches(path, unmatched, images))
    notes = [
        f"{path.name}: {counted(len(told), 'id')} matched {how.value}, e.g. {told[0]}"
        for how, told in ways.items()
    ]
    if unmatched:
        shown = ", ".join(f"{text!r} (line {line})" for line, text in unmatched[:SHOWN])
        told = counted(len(unmatched), "row names", "rows name")
        notes.append(f"{path.name}: {told} no image of the folder, or more than one: {shown}")
    numbers = all(
        as_number(row.label) is not None for one in rows.values() for row in one if row.label
    )
    said = {id_: _joined(path, id_, one, numbers) for id_, one in rows.items()}
    return LabelFile(said, numbers, notes)


def as_number(label: str) -> Decimal | None:
    """A label as the number that it is, so that spreadsheets may write 1 as 1.0 or 1,0."""
    if not _NUMBER.fullmatch(label) or _THOUSANDS.fullmatch(label):
        return None
    return Decimal(label.replace(",", "."))


def _role(path: Path, line: int, name: str) -> Role | None:
    role = split_names.role_of(name)
    if role is None and name.strip():
        raise DataError(
            f"{path}, line {line}: unknown split {name.strip()!r}; known: {split_names.known()}; "
            "rename the column if it means something else"
        )
    return role


def _joined(path: Path, id_: Id, rows: Sequence[Row], numbers: bool) -> Row:
    """What all rows about one image say."""
    label, split = "", None
    for row in rows:
        name = _numeral(row.label) if numbers and row.label else row.label
        if (name and label not in ("", name)) or (row.split and split not in (None, row.split)):
            raise DataError(
                f"{path} says two things about {id_!r}: line {rows[0].line} has "
                f"{_told(rows[0])}, line {row.line} {_told(row)}; remove one"
            )
        label, split = name or label, row.split or split
    if label and split == "unlabelled":
        raise DataError(
            f"{path}, line {rows[0].line} has label {label!r} and the split 'unlabelled' for "
            f"{id_!r}; remove one of them"
        )
    return Row(label, split, rows[0].line)


def _told(row: Row) -> str:
    return f"{row.label!r}" + (f" in split {row.split!r}" if row.split else "")


def _numeral(label: str) -> str:
    """A number as it is written shortest: ``1`` for ``1.0`` and ``01``."""
    number = as_number(label)
    assert number is not None
    return str(int(number)) if number == int(number) else f"{number.normalize():f}"


def _none_matches(path: Path, unmatched: list[tuple[int, str]], images: Collection[Id]) -> str:
    if not unmatched:
        return f"{path} has no rows below its header; expected an id and a label each"
    line, text = unmatched[0]
    return (
        f"none of {counted(len(unmatched), 'id')} in {path} is that of one image of the folder: "
        f"line {line} has {text!r}, the folder {min(images)!r}; ids are paths relative to the "
        "folder, or names that only one image has"
    )
