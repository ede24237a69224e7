"""What TensorFlow reads when it is imported is set where the user has set nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgadl_tf import cli
from bgadl_tf.core import environment

NAMES = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")


def test_what_is_set_already_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAMES[0], "1")
    monkeypatch.setenv(NAMES[1], "0")
    environment.prepare()
    assert [os.environ[name] for name in NAMES] == ["1", "0"]


def test_a_command_prepares_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # So that it is put back.
        monkeypatch.delenv(name)
    assert cli.main(["export", str(tmp_path / "none")]) == cli.BAD_INPUT
    assert [os.environ[name] for name in NAMES] == ["2", "1"]
