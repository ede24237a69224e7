"""``bgadl score`` stopped at any moment, and resumed."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.cli import main
from bgadl_tf.core import durable
from bgadl_tf.serving.score_command import SOME_FAILED
from tests.support.fake_model import FakeModel, FaultError
from tests.support.score_tools import (
    IDS,
    Score,
    address,
    content_of,
    expected_order,
    model,
    pool,
    score,
    table,
)

__all__ = ["address", "model", "pool", "score"]


@pytest.mark.parametrize("when", range(11))
def test_killed_at_any_write(
    score: Score, tmp_path: Path, model: FakeModel, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    """Header, 7 batches, failures, table, copies: each of them may be the last write."""
    model.bad = {content_of("a.png")}
    top = str(tmp_path / "top")
    writes = 0

    class KilledError(BaseException):
        pass

    def killing(function: Callable[..., None], after: bool) -> Callable[..., None]:
        def write(*arguments: Any) -> None:
            nonlocal writes
            writes += 1
            if writes == when + 1:
                if after:
                    function(*arguments)
                raise KilledError
            function(*arguments)

        return write

    for after in (False, True):
        writes = 0
        model.requests.clear()
        model.seen.clear()
        with monkeypatch.context() as patch:
            for name in ("append_json_lines", "atomic_write_bytes"):
                patch.setattr(durable, name, killing(getattr(durable, name), after))
            with pytest.raises(KilledError):
                score("--top", "2", "--copy-to", top, "--in-flight", "1")
        if when > 1:
            assert (tmp_path / "scores.csv.partial").exists()
        assert score("--top", "2", "--copy-to", top, "--in-flight", "1") == SOME_FAILED
        seed = int(table(tmp_path / "scores.csv")[0]["seed"])
        order = expected_order(seed, ids=[id_ for id_ in IDS if id_ != "a.png"])
        assert [row["id"] for row in table(tmp_path / "scores.csv")] == order
        assert not (tmp_path / "scores.csv.partial").exists()
        # What was answered but not yet written is asked for again: at most what was in flight.
        assert len(model.seen) <= len(order) + 2 * 3
        for path in (tmp_path / "top").rglob("*"):
            path.unlink() if path.is_file() else None
        for folder in sorted((tmp_path / "top").rglob("*"), reverse=True):
            folder.rmdir()


def interrupt_after(model: FakeModel, batches: int) -> None:
    """Lets the server die for good after some batches."""

    def refuse(number: int) -> None:
        if number >= batches:
            raise FaultError("UNAVAILABLE", "shutting down")

    model.refuses = refuse


def revive(model: FakeModel) -> None:
    model.refuses = lambda _: None


def test_a_server_that_dies_loses_no_score(
    score: Score, tmp_path: Path, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_after(model, 3)
    assert score("--seed", "5", "--in-flight", "1") == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bgadl:")]
    assert "shutting down (HTTP 503); gave up after" in line
    assert "the 9 scores so far are kept in" in line
    assert "run the same command again to go on" in line
    revive(model)
    model.versions[4] = "AVAILABLE"
    assert score() == 0  # with the same version and seed, although there is a newer one
    rows = table(tmp_path / "scores.csv")
    assert [row["id"] for row in rows] == expected_order(5)
    assert {row["model_version"] for row in rows} == {"3"}
    assert len(model.seen) == len(IDS)


def test_versions_are_never_mixed(
    score: Score, tmp_path: Path, model: FakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    def replace(number: int) -> None:
        if number == 2:
            model.versions = {3: "END", 4: "AVAILABLE"}
            raise FaultError("NOT_FOUND", "Servable not found for request: Specific(classifier, 3)")

    model.refuses = replace
    assert score("--in-flight", "1") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "version 3 of model 'classifier' at http://127.0.0.1:" in line
    assert "is not served (available: 4)" in line
    assert "serve version 3 again and run the same command to go on, or add --restart" in line
    revive(model)
    assert score() == 2
    assert "serve version 3 again" in capsys.readouterr().err
    assert not (tmp_path / "scores.csv").exists()
    assert score("--restart") == 0
    rows = table(tmp_path / "scores.csv")
    assert {row["model_version"] for row in rows} == {"4"}
    assert len(rows) == len(IDS)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seed", "6"], "whose seed is 5, not 6"),
        (["--model-version", "1"], "whose version is 3, not 1"),
        (["--label", "stable"], "whose label is None, not 'stable'"),
        (["--model", "other"], "whose model is 'classifier', not 'other'"),
    ],
)
def test_another_ranking_is_not_gone_on_with(
    score: Score,
    model: FakeModel,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    interrupt_after(model, 1)
    score("--seed", "5")
    capsys.readouterr()
    assert score(*flags) == 2
    assert message in capsys.readouterr().err


def test_another_source_or_model_is_not_gone_on_with(
    score: Score, model: FakeModel, pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_after(model, 1)
    score()
    capsys.readouterr()
    assert main(["score", str(pool / "cat"), "--out", str(tmp_path / "scores.csv")]) == 2
    assert "whose source is 'folder:" in capsys.readouterr().err
    revive(model)
    model.metadata = {"run": "r2"}
    assert score() == 2
    assert "is another model than the one with this number" in capsys.readouterr().err


def test_images_that_come_and_go_between(
    score: Score, model: FakeModel, pool: Path, tmp_path: Path
) -> None:
    interrupt_after(model, 3)
    score("--seed", "5", "--in-flight", "1")
    revive(model)
    (pool / "a.png").unlink()
    (pool / "new.png").write_bytes(content_of("new.png"))
    assert score() == 0
    ids = sorted({*IDS, "new.png"} - {"a.png"})
    rows = table(tmp_path / "scores.csv")
    assert [row["id"] for row in rows] == expected_order(5, ids=ids)


def test_ctrl_c(
    score: Score,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    append = durable.append_json_lines
    writes: list[object] = []

    def interrupted(*arguments: Any) -> None:
        writes.append(arguments)
        if len(writes) == 3:
            raise KeyboardInterrupt
        append(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "append_json_lines", interrupted)
        assert score() == 130
    assert f"run the same command again to go on with {tmp_path / 'scores.csv'}" in (
        capsys.readouterr().err
    )
    assert score() == 0
    assert len(table(tmp_path / "scores.csv")) == len(IDS)


def test_two_commands_on_one_file(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    partial = tmp_path / "scores.csv.partial"
    with partial.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert score() == 2
    assert f"another process is writing {partial}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": 9}\n', "does not begin like scores"),
        ("{}\n[]\n", "expected a JSON object"),
        ('{"format": 1}\n{"id": "a"}\n', "line 2 is no score"),
    ],
)
def test_a_damaged_work_file(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (tmp_path / "scores.csv.partial").write_text(content)
    assert score() == 2
    assert message in capsys.readouterr().err
    assert (tmp_path / "scores.csv.partial").read_text() == content
    assert score("--restart") == 0
