"""Label Studio's exports, in the three formats that hold everything: JSON, JSON_MIN and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Json
from bgadl_tf.data.csv_table import read_table

ID_FIELD = "bgadl_id"
"""Of a task's data: the id of its example."""

CONTROL = "label"
"""Name of the choices, which is that of their column in the flat formats."""

_FORMATS = "expected an export of Label Studio as JSON, JSON_MIN or CSV"


class Annotation(NamedTuple):
    """What somebody has said about a task.

    Fields:
        where: The task or the line, for messages.
        id: What the task says its example is; None where it says nothing.
        choices: Chosen classes.
        skipped: Whether the task was skipped.
        annotator: E-mail address or number of who said it.
        order: The later of two of one annotator is the larger.
    """

    where: str
    id: str | None
    choices: tuple[str, ...]
    skipped: bool
    annotator: str
    order: tuple[str, int]


def read(file: Path) -> list[Annotation]:
    """The annotations in an exported file, whose format is told by its content.

    Raises:
        DataError: It cannot be read, or is no such export.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if head[:1] not in (b"[", b"{"):
            return [*_from_csv(file)]
        exported = json.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{file} is not JSON: {error}; {_FORMATS}") from error
    try:
        return parse(exported)
    except DataError as error:
        raise DataError(f"{file}: {error}") from error


def parse(exported: Any, control: str | None = None) -> list[Annotation]:
    """The annotations in an export as JSON or JSON_MIN.

    Args:
        exported: What was parsed.
        control: Name of the choices that count; None for all.

    Raises:
        DataError: It is no such export.
    """
    tasks = exported if isinstance(exported, list) else None
    if tasks is None or not all(isinstance(task, dict) for task in tasks):
        raise DataError(f"it is no list of tasks; {_FORMATS}")
    annotations: list[Annotation] = []
    for task in tasks:
        if isinstance(task.get("data"), dict) and isinstance(task.get("annotations"), list):
            annotations += _of_task(task, control)
        elif "annotation_id" in task:
            annotations.append(_of_row(f"task {task.get('id')}", task))
        else:
            raise DataError(f"task {task.get('id')} has no annotations; {_FORMATS}")
    return annotations


def _of_task(task: Json, control: str | None) -> Iterator[Annotation]:
    for one in task["annotations"]:
        choices: list[str] = []
        for result in one.get("result") or ():
            if control in (None, result.get("from_name")):
                choices += result.get("value", {}).get("choices") or ()
        yield Annotation(
            where=f"task {task.get('id')}",
            id=_text(task["data"].get(ID_FIELD)),
            choices=tuple(map(str, choices)),
            skipped=bool(one.get("was_cancelled")),
            annotator=_annotator(one.get("completed_by")),
            order=(str(one.get("updated_at") or ""), _number(one.get("id"))),
        )


def _of_row(where: str, row: Mapping[str, Any]) -> Annotation:
    return Annotation(
        where=where,
        id=_text(row.get(ID_FIELD)),
        choices=_choices(row.get(CONTROL)),
        skipped=False,  # these formats leave out what was skipped
        annotator=_annotator(row.get("annotator")),
        order=(str(row.get("updated_at") or ""), _number(row.get("annotation_id"))),
    )


def _from_csv(file: Path) -> Iterator[Annotation]:
    columns = (ID_FIELD, "annotator", "annotation_id", "updated_at", CONTROL)
    names: dict[str, tuple[str, ...]] = dict.fromkeys(columns, ())
    for line, row in read_table(file, names, optional=("updated_at",)).records():
        yield _of_row(f"line {line}", row)


def _choices(value: Any) -> tuple[str, ...]:
    """One choice is a text; several are an object, or in CSV its JSON."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return (value,)
    if isinstance(value, dict):
        return tuple(map(str, value.get("choices") or ()))
    return (str(value),) if value not in (None, "") else ()


def _annotator(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("email") or value.get("id")
    return str(value or "unknown")


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
