from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import DataError, RunFolderError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.loop.oracles.answers_file import AnswersFile, write_template
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.oracles.oracle import Oracle

NAMES = ("cat", "Dog", "white horse")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def asked(ids: list[str]) -> tuple[Query, np.ndarray]:
    """A query, and the examples that it is about."""
    return Query(tuple(ids), (0.0,) * len(ids)), np.zeros((len(ids), 8, 8, 1), np.uint8)


def answer(path: Path, content: str | bytes, names: tuple[str, ...] = NAMES) -> dict[str, object]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    oracle: Oracle = AnswersFile(path, names)
    return dict(oracle.answer(*asked(["a", "b", "c", "d"])))


def test_held_back_labels_answer_what_is_known() -> None:
    labels = np.array([2, UNLABELLED, 0], np.int32)
    oracle: Oracle = HeldBackLabels(
        ExampleSet(("a", "b", "c"), np.zeros((3, 8, 8, 1), np.uint8), labels)
    )
    answers = oracle.answer(*asked(["c", "b", "a"]))
    assert list(answers.items()) == [("c", 0), ("a", 2)]
    assert all(type(label) is int for label in answers.values())
    assert oracle.answer(*asked(["z"])) == {}  # synthesised: nobody has held back a label


def test_names_indices_blanks_and_skips(path: Path) -> None:
    content = "id,label\na,cat\nb, SKIP \nc,\nd,2\nother,Dog\n"
    assert answer(path, content) == {"a": 0, "b": None, "d": 2}


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffid,label\r\na,cat\r\nb,Dog\r\n",
        "id;label\na;cat\nb;Dog\n",
        "id\tlabel\na\tcat\nb\tDog",
        '"id","label"\n"a","cat"\n\n"b","Dog"\n,\n',
        "note,Label, ID \nx,cat,a\n,dog,b,,\n",
        "id,label\na,0.0\nb,1.00\nc\n",
        "id,label\na,CAT\nb, dog \n",
        "id,label\na,cat\na,cat\na,\nb,1\nb,dog\n",
        "\ufeffid\tlabel\na\tcat\nb\tDog\n".encode("utf-16-le"),
    ],
    ids=["excel", "semicolons", "tabs", "quotes", "columns", "floats", "case", "repeats", "utf16"],
)
def test_what_spreadsheets_do_is_put_up_with(path: Path, content: str | bytes) -> None:
    assert answer(path, content) == {"a": 0, "b": 1}


def test_numeric_names_are_names_and_never_indices(path: Path) -> None:
    assert answer(path, "id,label\na,1\nb,3.0\n", ("1", "2", "3")) == {"a": 0, "b": 2}
    with pytest.raises(DataError, match="label '0' is not a class; allowed: 1, 2, 3, skip"):
        answer(path, "id,label\na,0\n", ("1", "2", "3"))


def test_names_that_differ_by_case_are_told_apart(path: Path) -> None:
    assert answer(path, "id,label\na,B\nb,b\n", ("b", "B")) == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,label\na,cat\nb,cow\n", r"answers\.csv, line 3: label 'cow' .* cat, Dog, white horse"),
        ("id,label\na,3\n", "label '3' is not a class; allowed: .* an index from 0 to 2"),
        ("id,label\na,-1\n", "label '-1' is not a class"),
        ("id,label\nother,cow\n", "line 2: label 'cow'"),
        ("id,label\na,cat\nb,\na,dog\n", "line 2 and line 4 give 'a' different labels"),
        ("id,label\na,cat\na,skip\n", "line 2 and line 3"),
        ("id,label\n,cat\n", "line 2 has label 'cat' but no id"),
        ("name,label\na,cat\n", "lacks the column 'id' or .*; it has 'name', 'label'"),
        ("", "is empty; expected a first line id,label"),
        (b"id,label\na,\x81\n", "unknown encoding; save it as 'CSV UTF-8'"),
    ],
)
def test_malformed_answers_are_refused(path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        answer(path, content)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*answers\.csv: No such"):
        AnswersFile(path, NAMES).answer(*asked(["a"]))


def test_a_class_called_skip_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match="a class is called 'skip'"):
        AnswersFile(path, ("cat", "Skip"))


def test_the_template_asks_for_every_id(path: Path) -> None:
    write_template(path, ["a", "d, ü.png", "a"])
    assert path.read_text() == 'id,label\na,\n"d, ü.png",\n'
    assert AnswersFile(path, NAMES).answer(*asked(["a"])) == {}


def test_the_template_loses_nothing_that_is_there(path: Path) -> None:
    path.write_bytes('\ufefflabel;id;note\r\ncat;a;"x;y"\r\n;b;\r\n'.encode())
    write_template(path, ["b", "c"])
    assert path.read_text() == '\ufefflabel;id;note\ncat;a;"x;y"\n;b;\n;c;\n'
    before = path.stat().st_ino
    write_template(path, ["a", "b", "c"])
    assert path.stat().st_ino == before


def test_the_template_leaves_a_file_it_cannot_read_alone(path: Path) -> None:
    path.write_text("my notes\n")
    with pytest.raises(DataError, match="lacks the column"):
        write_template(path, ["a"])
    assert path.read_text() == "my notes\n"


def test_a_failed_template_keeps_the_answers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    path.write_text("id,label\na,cat\n")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunFolderError, match="No space left"):
        write_template(path, ["b"])
    assert path.read_text() == "id,label\na,cat\n"
