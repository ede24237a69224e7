from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.csv_table import Table, read_table

COLUMNS = {"id": ("file", "filename"), "label": ("class",)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def read(path: Path, content: str | bytes, optional: tuple[str, ...] = ()) -> Table:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, COLUMNS, optional)


def records(path: Path, content: str | bytes) -> list[tuple[int, str, str]]:
    return [(line, record["id"], record["label"]) for line, record in read(path, content).records()]


@pytest.mark.parametrize(
    "content",
    [
        "id,label\na,käse\nb,\n",
        "\ufeffid,label\r\na,käse\r\nb,\r\n",
        "id;label\na;käse\nb;\n",
        "id\tlabel\na\tkäse\nb\t\n",
        "id|label\na|käse\nb|\n",
        "id,label\ra,käse\rb,\r",
        '"ID" ,"Label"\na,"käse"\nb',
        "note,Class,FileName\nx,käse,a\ny,,b\n",
        "id,file,label\na,other,käse\nb,another,\n",
        "\ufeffid\tlabel\r\na\tkäse\r\nb\t\r\n".encode("utf-16-le"),
        "\ufeffid\tlabel\na\tkäse\nb\t\n".encode("utf-16-be"),
        "id,label\na,käse\nb,\n".encode("utf-16-le"),
        "id,label\na,käse\nb,\n".encode("utf-16-be"),
        "id;label\r\na;käse\r\nb;\r\n".encode("cp1252"),
    ],
)
def test_what_spreadsheets_write_is_read(path: Path, content: str | bytes) -> None:
    assert records(path, content) == [(2, "a", "käse"), (3, "b", "")]


@pytest.mark.parametrize(
    "preamble", ["sep=;\r\n", "SEP=;\n", '"sep=;"\r\n', "\ufeffsep=;\r\n", "sep=;;\r\n"]
)
def test_the_line_that_names_the_separator_is_understood(path: Path, preamble: str) -> None:
    assert records(path, f"{preamble}id;label\r\na;x,y\r\n") == [(3, "a", "x,y")]


def test_a_separator_named_wrongly_or_out_of_the_ordinary_is_put_up_with(path: Path) -> None:
    assert records(path, "sep=;\nid,label\na,cat\n") == [(3, "a", "cat")]
    assert records(path, "sep=:\nid:label\na:cat\n") == [(3, "a", "cat")]
    assert records(path, "sep=\t\nid\tlabel\na\tcat\n") == [(3, "a", "cat")]


def test_lines_are_counted_as_an_editor_counts_them(path: Path) -> None:
    content = '\nid,label,note\n\na,cat,"two\nlines"\n,,\nb,dog\n'
    assert records(path, content) == [(5, "a", "cat"), (7, "b", "dog")]


def test_optional_columns_may_be_lacking(path: Path) -> None:
    table = read(path, "file\na\n", optional=("label",))
    assert list(table.records()) == [(2, {"id": "a", "label": ""})]
    assert table.columns == {"id": 0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"table\.csv is empty; expected a first line id,label"),
        ("\n ,\n", "is empty"),
        (
            "name;label;Größe\na;cat;1\n",
            "lacks the column 'id' or 'file' or 'filename'; it has 'name', 'label', 'Größe'",
        ),
        ("a.png,cat\n", "lacks the columns 'id' .* and 'label' .*; it has 'a.png', 'cat'"),
        ("id,label,label\na,cat,dog\n", "has 2 columns 'label'; rename"),
        ('id,label\na,cat\nb,"dog\nc,cat\n', "a quote at or below line 3 is never closed"),
        ('id,label,note\na,cat,"x"y\nb,dog,"z\n', "a quote at or below line 3 is never closed"),
        (b"PK\x03\x04rest", "is a spreadsheet's own file; save it as 'CSV UTF-8'"),
        (b"id,label\na,\x81\x8d\n", "is not text, or in an unknown encoding"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text"),
        ("id,label\na," + "x" * 200_000 + "\n", "line 2 is not CSV: field larger"),
    ],
)
def test_what_is_no_such_table_is_refused(path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(path, content)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*table\.csv: No such file"):
        read_table(path, COLUMNS)


@pytest.mark.parametrize(
    ("content", "added"),
    [
        ("id,label\na,cat\n", 'c,\n"d,e",\n'),
        ("\ufeffid,label\r\na,cat", '\r\nc,\r\n"d,e",\r\n'),
        ("sep=;\r\nnote;label;id\r\n;cat;a\r\n", ";;c\r\n;;d,e\r\n"),
        ("id,label\n\n\n'a',\"cat\"\n,\n", 'c,\n"d,e",\n'),
    ],
)
def test_rows_are_added_below_what_is_there(path: Path, content: str, added: str) -> None:
    table = read(path, content)
    assert table.appended([{"id": "c"}, {"id": "d,e"}]) == (content + added).encode()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_rows_are_added_in_the_encoding_that_is_there(path: Path, encoding: str) -> None:
    content = "\ufeffid\tlabel\r\na\tcat\r\n"
    added = read(path, content.encode(encoding)).appended([{"id": "ü", "label": "dog"}])
    assert added == (content + "ü\tdog\r\n").encode(encoding)


def test_what_an_encoding_lacks_makes_the_file_utf_8(path: Path) -> None:
    table = read(path, "id,label\na,käse\n".encode("cp1252"))
    assert table.appended([{"id": "ö"}]) == "id,label\na,käse\nö,\n".encode("cp1252")
    assert table.appended([{"id": "Ж"}]) == "\ufeffid,label\na,käse\nЖ,\n".encode()
