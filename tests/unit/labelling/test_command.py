"""``bgadl label`` says in one line why it cannot begin."""

from __future__ import annotations

import importlib.util
import signal
import socket
from pathlib import Path

import pytest

from bgadl_tf.cli import main
from tests.support.held import held
from tests.support.labelling import begin

USAGE = 2


def told(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """The one line."""
    before = signal.getsignal(signal.SIGTERM)
    assert main(["label", *flags]) == USAGE
    assert signal.getsignal(signal.SIGTERM) is before
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("bgadl: ")
    return line


def test_what_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is the folder of no run; begin one" in told(capsys, str(tmp_path), "--port", "0")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    line = told(capsys, str(tmp_path))
    assert "needs starlette and uvicorn; pip install 'bgadl_tf[serve]'" in line


def test_a_port_that_is_in_use_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        line = told(capsys, str(tmp_path), "--port", port)
    assert f"--port {port}: Address already in use; give another --port" in line


def test_a_run_that_somebody_works_on_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begin(tmp_path)
    with held(run / ".lock"):
        assert "another process is working in" in told(capsys, str(run), "--port", "0")


def test_who_begins_a_run_is_told_of_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begin(tmp_path)
    capsys.readouterr()
    flags = ["--new-class", "zero", "--new-class", "one", "--new-class", "two"]
    assert main([
        "train", "--dataset", f"folder:{tmp_path / 'photos'}", "--method", "bald", "--classifier",
        "lenet", "--image-size", "28", *flags, "--initial-size", "6", "--query-size", "4",
        "--rounds", "2", "--steps", "5", "--batch-size", "8", "--mc-samples", "3",
        "--out", str(run),
    ]) == 3  # fmt: skip
    assert f"or label on a page: bgadl label {run}" in capsys.readouterr().out
