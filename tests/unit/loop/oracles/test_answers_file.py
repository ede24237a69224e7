"""Answers as people write them: more than ``test_oracle`` asks of every oracle."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.loop.oracles.answers_file import AnswersFile, write_template

NAMES = ("cat", "dog")
KNOWN = ("pool/a.png", "pool/b.png", "pool/deep/c.png", "other/c.png")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def answers(
    path: Path, content: str | bytes, names: tuple[str, ...] = NAMES
) -> dict[Id, Label | None]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return AnswersFile(path, names).answers(KNOWN)


def test_every_line_about_a_known_id_is_an_answer(path: Path) -> None:
    content = "id,label\npool/a.png,cat\npool/b.png,\nother/c.png,skip\npool/deep/c.png,1\n"
    assert answers(path, content) == {"pool/a.png": 0, "other/c.png": None, "pool/deep/c.png": 1}


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\r\nid;label\r\npool/a.png;cat\r\n",
        "file,class\npool\\a.png,CAT\n",
        "id|label\n/home/me/pool/a.png|0\n",
        "id,label\na.png,cat\na, Cat \n",
        "image,label\nC:\\photos\\pool\\a.png,cat\n",
        "id,label\npool/a.png,cat\n".encode("utf-16-le"),
        "id;label;Größe\npool/a.png;cat;1\n".encode("cp1252"),
    ],
)
def test_ids_and_tables_as_people_make_them(path: Path, content: str | bytes) -> None:
    assert answers(path, content) == {"pool/a.png": 0}


def test_numbers_as_spreadsheets_write_them_are_names(path: Path) -> None:
    content = "id,label\na.png,1\nb.png,2\n"
    assert answers(path, content, ("1.0", "2.0")) == {"pool/a.png": 0, "pool/b.png": 1}
    assert answers(path, 'id,label\na.png,"2,0"\n', ("1.0", "2.0")) == {"pool/a.png": 1}
    with pytest.raises(DataError, match=r"label '0' is not a class; allowed: 1\.0, 2\.0, skip"):
        answers(path, "id,label\na.png,0\n", ("1.0", "2.0"))


def test_labels_that_match_nothing_are_reported(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = (
        "id,label\na.png,cat\nc.png,dog\nx.png,cat\ny.png,\nz.png,skip\nw.png,dog\nx.png,cat\n"
    )
    path.write_text(content)
    oracle = AnswersFile(path, NAMES)
    assert oracle.unmatched == ()
    with caplog.at_level(logging.WARNING, "bgadl_tf"):
        assert oracle.answers(KNOWN) == {"pool/a.png": 0}
    assert oracle.unmatched == ("c.png", "x.png", "z.png", "w.png")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.name.startswith("bgadl_tf")
    assert "labels of 4 ids are not used" in record.message
    named = "'c.png' (line 3), 'x.png' (lines 4, 8), 'z.png' (line 6) and 1 more (line 7);"
    assert named in record.message
    assert record.message.endswith("such as 'pool/a.png'")
    path.write_text("id,label\npool/a.png,cat\n")
    oracle.answers(KNOWN)
    assert oracle.unmatched == ()


def test_ids_that_are_not_written_in_full_are_said(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bgadl_tf"):
        answers(path, "id,label\na.png,cat\nb,dog\n")
    (record,) = caplog.records
    assert "2 ids are not written in full, such as 'a.png', which matched 'pool/a.png'" in (
        record.message
    )


def test_ids_that_are_written_in_full_are_nothing_to_speak_of(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bgadl_tf"):
        answers(path, "id,label\npool/a.png,cat\n./pool/b.png,dog\n")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,label\na.png,cat\npool/a.png,dog\n", "line 2 and line 3 give 'pool/a.png' different"),
        ("id,label\nx,cat\nx,dog\n", "line 2 and line 3 give 'x' different labels"),
        ("id,label\na.png,catt\n", r"line 2: label 'catt' is not .*; did you mean 'cat'\?; a new"),
        ("id,label\na.png,ant\n", "is not a class; .*; a new class needs --new-class ant$"),
        ("id,label\na.png,red fox\n", "; a new class needs --new-class 'red fox'$"),
        ("id,label\na.png,2\n", "an index from 0 to 1, skip, or blank for not yet$"),
        ('id,label\na.png,"cat\nb.png,dog\n', "a quote at or below line 2 is never closed"),
    ],
)
def test_what_cannot_be_used_is_explained(path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        answers(path, content)


def test_a_label_that_fits_two_classes_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match="line 2: label 'CAT' could be 'Cat' or 'cat'"):
        answers(path, "id,label\na.png,CAT\n", ("Cat", "cat"))


def test_a_query_is_answered_from_all_that_is_known(path: Path) -> None:
    path.write_text("id,label\na.png,cat\nc.png,dog\nb.png,dog\n")
    query = Query(("pool/b.png", "pool/deep/c.png"), (0.0, 0.0))
    examples = np.zeros((2, 8, 8, 1), np.uint8)
    assert AnswersFile(path, NAMES, KNOWN).answer(query, examples) == {"pool/b.png": 1}
    assert AnswersFile(path, NAMES).answer(query, examples) == {}


# The file to fill in


def test_a_new_template_is_written(path: Path) -> None:
    assert write_template(path, KNOWN[:2], KNOWN)
    assert path.read_bytes() == b"id,label\npool/a.png,\npool/b.png,\n"
    assert not write_template(path, KNOWN[:2], KNOWN)


@pytest.mark.parametrize(
    ("content", "after"),
    [
        (
            "sep=;\r\nid;label\r\npool/a.png;cat\r\n",
            "sep=;\r\nid;label\r\npool/a.png;cat\r\npool/b.png;\r\n",
        ),
        ("id,label\n'q',\n\npool/a.png,cat", "id,label\n'q',\n\npool/a.png,cat\npool/b.png,\n"),
        (
            "\ufeffnote,file,class\r\nx,a.png,cat\r\n",
            "\ufeffnote,file,class\r\nx,a.png,cat\r\n,pool/b.png,\r\n",
        ),
    ],
)
def test_what_a_person_has_made_of_it_stays(path: Path, content: str, after: str) -> None:
    path.write_bytes(content.encode())
    assert write_template(path, KNOWN[:2], KNOWN)
    assert path.read_bytes() == after.encode()


def test_a_file_whose_labels_match_nothing_is_left_alone(path: Path) -> None:
    content = b"id,label\r\nIMG_1.JPG,cat\r\npool/a.png,dog"
    path.write_bytes(content)
    before = path.stat()
    assert not write_template(path, KNOWN, KNOWN)
    assert path.read_bytes() == content
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write_template(path, KNOWN[:2])
    assert path.read_bytes() == content + b"\r\npool/b.png,\r\n"


def test_rows_without_a_label_that_match_nothing_are_no_hindrance(path: Path) -> None:
    path.write_text("id,label\nIMG_1.JPG,\n")
    assert write_template(path, ["pool/a.png"], KNOWN)
    assert path.read_text() == "id,label\nIMG_1.JPG,\npool/a.png,\n"


def test_what_is_asked_is_there_only_under_a_name_that_means_it(path: Path) -> None:
    path.write_text("id,label\nc.png,\n./pool/a.png,cat\n")
    assert write_template(path, ["pool/a.png", "other/c.png"], KNOWN)
    assert path.read_text() == "id,label\nc.png,\n./pool/a.png,cat\nother/c.png,\n"
    assert write_template(path, ["1/c.png"])
    assert path.read_text().endswith("\nother/c.png,\n1/c.png,\n")
