from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgadl_tf.core.errors import LedgerError, RunFolderError
from bgadl_tf.loop.ledger import Ledger, Record, labels_in

RECORDS = (
    Record("digits-0001", 3, 0, "held-back"),
    Record("ä\n/x.png", None, 1, "file:answers.csv"),
    Record("c", 0, 1, "held-back"),
)

records = st.builds(
    Record,
    id=st.text(min_size=1, max_size=8),
    label=st.none() | st.integers(0, 1000),
    round=st.integers(0, 50),
    source=st.text(min_size=1, max_size=8),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def test_what_was_appended_is_there_after_reopening(path: Path) -> None:
    ledger = Ledger(path)
    for record in RECORDS:
        ledger.extend([record])
    reopened = Ledger(path)
    assert reopened.records() == ledger.records() == RECORDS
    assert not reopened.mended
    assert len(reopened) == 3


def test_a_line_is_what_the_run_folder_promises(path: Path) -> None:
    Ledger(path).extend(RECORDS[:2])
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {"id": "digits-0001", "label": 3, "round": 0, "source": "held-back"}
    assert second["label"] is None


def test_a_new_ledger_makes_no_file(path: Path) -> None:
    ledger = Ledger(path)
    ledger.extend([])
    assert ledger.records() == ()
    assert not path.exists()


def test_a_correction_is_a_further_line(path: Path) -> None:
    ledger = Ledger(path)
    ledger.extend([RECORDS[0], Record("digits-0001", 4, 1, "x", correction=True)])
    assert [json.loads(line).get("correction") for line in path.read_text().splitlines()] == [
        None, True,
    ]  # fmt: skip
    assert Ledger(path).records() == ledger.records()
    assert labels_in(ledger.records(), 0) == {"digits-0001": RECORDS[0].label}
    assert labels_in(ledger.records(), 1) == {"digits-0001": 4}


def test_a_failed_append_leaves_ledger_and_file_as_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(path)
    ledger.extend([RECORDS[0]])
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(RunFolderError, match="No space left"):
            ledger.extend([RECORDS[1]])
    assert path.read_bytes() == before
    ledger.extend([RECORDS[1]])
    assert Ledger(path).records() == RECORDS[:2]


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", ""), ("id", 3), ("label", -1), ("label", "cat"), ("label", True), ("label", 1.0),
     ("round", -1), ("round", None), ("source", 4)],
)  # fmt: skip
def test_malformed_lines_are_named(path: Path, field: str, value: object) -> None:
    Ledger(path).extend([RECORDS[0]])
    line: dict[str, Any] = {"id": "b", "label": 1, "round": 0, "source": "x", field: value}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(LedgerError, match=rf"labels\.jsonl, line 2: {field}.*; mend or delete"):
        Ledger(path)


@pytest.mark.parametrize(
    "line", [{"id": "b"}, {"id": "b", "label": 1, "round": 0, "source": "x", "note": ""}]
)
def test_other_fields_are_refused(path: Path, line: dict[str, object]) -> None:
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(LedgerError, match=r"line 1: the fields are .* expected"):
        Ledger(path)


@settings(max_examples=25, deadline=None)
@given(st.lists(records, min_size=1, max_size=4, unique_by=lambda record: record.id))
def test_a_file_cut_anywhere_reopens_as_a_prefix(written: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.jsonl"
        Ledger(path).extend(written)
        content = path.read_bytes()
        for length in range(len(content)):
            path.write_bytes(content[:length])
            ledger = Ledger(path)
            whole = content[:length].count(b"\n")
            assert ledger.records() == tuple(written[:whole])
            assert ledger.mended == (not content[:length].endswith(b"\n") and length > 0)
        ledger.extend(written[len(ledger) :])
        assert path.read_bytes() == content
