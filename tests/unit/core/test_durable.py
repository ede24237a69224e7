from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.core import durable
from bgadl_tf.core.errors import LedgerError, RunFolderError


def test_atomic_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    durable.atomic_write_text(path, "old")
    durable.atomic_write_text(path, "nëw\r\n")
    assert path.read_bytes() == "nëw\r\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_keeps_permissions_and_respects_the_mask(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    mask = os.umask(0o027)
    try:
        durable.atomic_write_bytes(new, b"")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    old.touch()
    old.chmod(0o604)
    durable.atomic_write_bytes(old, b"")
    assert stat.S_IMODE(old.stat().st_mode) == 0o604


def test_a_failed_atomic_write_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", _fail)
    with pytest.raises(RunFolderError, match=r"config\.json: No space left"):
        durable.atomic_write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no/x: No such file"):
        durable.atomic_write_text(tmp_path / "no" / "x", "")
    with pytest.raises(RunFolderError, match=r"no/x: No such file"):
        durable.append_json_line(tmp_path / "no" / "x", {})


def test_lines_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    records = [{"round": 0, "name": "ü\n\u2028"}, {"round": 1, "queried": ["a"]}]
    for record in records:
        durable.append_json_line(path, record)
    assert durable.read_json_lines(path) == (tuple(records), False)
    assert path.read_bytes().count(b"\n") == 2


def test_a_missing_file_holds_no_lines(tmp_path: Path) -> None:
    assert durable.read_json_lines(tmp_path / "none") == ((), False)


@pytest.mark.parametrize("tail", [b'{"b"', b'{"b": 2}', b"\x00\x00\n", b"\xff\n", b'{"b": \n'])
def test_a_tail_cut_short_is_dropped(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "rounds.jsonl"
    path.write_bytes(b'{"a": 1}\n' + tail)
    assert durable.read_json_lines(path, mend=False) == (({"a": 1},), True)
    assert path.read_bytes().endswith(tail)
    assert durable.read_json_lines(path) == (({"a": 1},), True)
    assert path.read_bytes() == b'{"a": 1}\n'
    assert durable.read_json_lines(path) == (({"a": 1},), False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"b\n{"c": 1}\n', "line 2 is not JSON"),
        (b'{"a": 1}\n{"b\n{"c"', "line 2 is not JSON"),
        (b'\n{"a": 1}\n', "line 1 is not JSON"),
        (b'{"a": 1}\n[1]\n', "line 2 .* expected a JSON object"),
    ],
)
def test_damage_elsewhere_is_refused_and_left_alone(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "rounds.jsonl"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=message):
        durable.read_json_lines(path)
    assert path.read_bytes() == content


def test_nothing_is_appended_to_a_line_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    path.write_bytes(b'{"a"')
    with pytest.raises(LedgerError, match="cut short"):
        durable.append_json_line(path, {"b": 1})
    assert path.read_bytes() == b'{"a"'


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_failed_append_leaves_the_file_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "rounds.jsonl"
    durable.append_json_line(path, {"a": 1})
    write = os.write

    def write_half(descriptor: int, content: Any) -> int:
        if len(content) < 5:
            _fail()
        return write(descriptor, content[: len(content) // 2])

    monkeypatch.setattr(os, call, write_half if call == "write" else _fail)
    with pytest.raises(RunFolderError, match="No space left"):
        durable.append_json_line(path, {"b": "x" * 100})
    monkeypatch.undo()
    assert durable.read_json_lines(path) == (({"a": 1},), False)


def test_an_append_is_synced_before_it_returns_and_a_new_file_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
    )
    durable.append_json_line(tmp_path / "x", {})
    assert synced == [False, True]
    durable.append_json_line(tmp_path / "x", {})
    assert synced == [False, True, False]


def test_numbers_json_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        durable.append_json_line(tmp_path / "x", {"loss": float("nan")})
    assert not (tmp_path / "x").exists()


def _fail(*_: object) -> None:
    raise OSError(28, "No space left on device")
