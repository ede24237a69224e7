"""Exports in three formats say the same, and what cannot be used is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.labelling.labelstudio import exports
from bgadl_tf.labelling.labelstudio.annotations import understood
from bgadl_tf.labelling.labelstudio.exports import Annotation

KNOWN = {name: name for name in ("a.png", "b.png", "c.png")} | {"old.png": "a.png"}
NAMES = ("cat", "dog")


def annotation(
    id_: str | None, *choices: str, by: str = "1", at: str = "", skip: bool = False
) -> Annotation:
    return Annotation("task 1", id_, choices, skip, by, (at, 0))


def task(id_: str | None, *choices: str, skip: bool = False) -> dict[str, Any]:
    result = {"from_name": "label", "type": "choices", "value": {"choices": [*choices]}}
    one = {"id": 5, "result": [result], "was_cancelled": skip, "completed_by": {"email": "a@b.c"}}
    return {"id": 7, "data": {"image": "x", "bgadl_id": id_}, "annotations": [one]}


def test_json(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps([task("a.png", "cat"), task("b.png", skip=True)]))
    assert exports.read(file) == [
        Annotation("task 7", "a.png", ("cat",), False, "a@b.c", ("", 5)),
        Annotation("task 7", "b.png", (), True, "a@b.c", ("", 5)),
    ]


def test_other_controls_of_a_page_do_not_count() -> None:
    (one,) = exports.parse([task("a.png", "cat")], "kind")
    assert one.choices == ()


def test_json_min(tmp_path: Path) -> None:
    row = {"image": "x", "bgadl_id": "a.png", "id": 7, "annotator": 1, "annotation_id": 5}
    file = tmp_path / "export.json"
    rows = [row | {"label": "cat"}, row | {"label": {"choices": ["cat", "dog"]}}, row]
    file.write_text("\ufeff" + json.dumps(rows), "utf-8")
    assert [one.choices for one in exports.read(file)] == [("cat",), ("cat", "dog"), ()]
    assert {one.annotator for one in exports.read(file)} == {"1"}


def test_csv(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(
        "annotation_id,annotator,bgadl_id,created_at,id,image,label,lead_time,updated_at\n"
        "5,1,a.png,2026,7,x,cat,1.0,2026\n"
        '6,1,b.png,2026,8,x,"{""choices"": [""cat"", ""dog""]}",1.0,2026\n'
    )
    assert exports.read(file) == [
        Annotation("line 2", "a.png", ("cat",), False, "1", ("2026", 5)),
        Annotation("line 3", "b.png", ("cat", "dog"), False, "1", ("2026", 6)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "it is no list of tasks; expected an export of Label Studio as JSON, JSON_MIN"),
        ("{}", "it is no list of tasks"),
        ('[{"id": 3}]', "task 3 has no annotations"),
        ("[", "is not JSON"),
        ("id,label\na.png,cat\n", "lacks the columns 'bgadl_id'"),
        ("", "is empty"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "export"
    file.write_text(content)
    with pytest.raises(DataError, match=message):
        exports.read(file)


def test_answers_skips_and_earlier_names() -> None:
    given = [annotation("old.png", "dog"), annotation("b.png", skip=True, by="x@y.z")]
    answers = understood(given, KNOWN, NAMES)
    assert answers.of == {"labelstudio:1": {"a.png": 1}, "labelstudio:x@y.z": {"b.png": None}}
    assert not answers.problems
    assert answers.annotated == {"a.png", "b.png"}


def test_the_latest_annotation_of_one_annotator_counts() -> None:
    given = [annotation("a.png", "dog", at="2"), annotation("a.png", "cat", at="1")]
    assert understood(given, KNOWN, NAMES).of == {"labelstudio:1": {"a.png": 1}}
    given = [annotation("a.png", "dog", by="2"), annotation("a.png", skip=True, by="1")]
    assert understood(given, KNOWN, NAMES).of == {"labelstudio:2": {"a.png": 1}}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([annotation("a.png", "cow")], "task 1 ('a.png') has the choice 'cow', which is no class"),
        ([annotation("a.png", "1")], "task 1 ('a.png') has the choice '1', which is no class"),
        ([annotation("a.png", "cat", "dog")], "has 2 choices, 'cat' and 'dog'; expected one"),
        ([annotation("a.png")], "task 1 ('a.png') has no choice"),
        ([annotation(None, "cat")], "task 1 has no bgadl_id: it was not made by push"),
        ([annotation("x.png", "cat")], "task 1 is about 'x.png', which is no id of the run"),
        (
            [annotation("a.png", "cat"), annotation("a.png", "dog", by="2")],
            "task 1 ('a.png') is said to be 'cat' (1) and 'dog' (2): let them agree",
        ),
    ],
)
def test_what_cannot_be_used_is_named_and_the_others_are_told(
    given: list[Annotation], problem: str
) -> None:
    answers = understood([*given, annotation("b.png", "cat")], KNOWN, NAMES)
    assert answers.of == {"labelstudio:1": {"b.png": 0}}
    (line,) = answers.problems
    assert problem in line
