"""A run whose pool stays on disk is the run whose pool is in memory, bit for bit."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from bgadl_tf.cli import main
from bgadl_tf.core.types import Images, Rows
from bgadl_tf.data.images.image_files import ImageFiles
from bgadl_tf.data.records.record_images import RecordImages
from bgadl_tf.data.source import StoredExamples
from tests.support.run_tools import SMALL, differences, no_export, no_pictures
from tests.support.small_datasets import WRITERS

__all__ = ["no_export", "no_pictures"]

pytestmark = pytest.mark.usefixtures("no_pictures", "no_export")

METHODS = {
    "folder": ("--method", "bgadl", "--option", "width=0.1", "--option", "latent_dim=5"),
    "tfds": ("--method", "bald", "--image-size", "12"),
    "arrays": ("--method", "bald"),
}
SOURCES: dict[str, type[StoredExamples]] = {"folder": ImageFiles, "tfds": RecordImages}


def train(out: Path, kind: str, *flags: str) -> None:
    command = ["train", *METHODS[kind], *SMALL, "--rounds", "2", "--steps", "5", *flags]
    assert main([*command, "--out", str(out)]) == 0


@pytest.mark.parametrize("kind", SOURCES)
def test_a_streamed_run_is_the_run_in_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = WRITERS[kind](tmp_path / "data")
    asked: list[int] = []
    read = SOURCES[kind].read

    def listen(source: StoredExamples, rows: Rows) -> Images:
        asked.append(len(rows))
        return read(source, rows)

    monkeypatch.setattr(SOURCES[kind], "read", listen)
    memory, streamed, resumed = (tmp_path / name for name in ("memory", "streamed", "resumed"))
    train(memory, kind, *flags)
    asked.clear()
    train(streamed, kind, *flags, "--stream")
    assert len(asked) > 5, "nothing was streamed"
    assert differences(memory, streamed) == ["config.json"]
    assert json.loads((streamed / "config.json").read_text())["stream"] is True
    # Where the pool is changes no result, so that a run may go on on another machine.
    shutil.copytree(memory, resumed)
    os.truncate(resumed / "rounds.jsonl", (resumed / "rounds.jsonl").stat().st_size - 30)
    train(resumed, kind, *flags, "--stream")
    assert differences(memory, resumed) == []


def test_a_run_on_arrays(tmp_path: Path) -> None:
    flags = WRITERS["arrays"](tmp_path / "data")
    train(tmp_path / "run", "arrays", *flags)
    rounds = (tmp_path / "run" / "rounds.jsonl").read_text().splitlines()
    assert all(id_.startswith("train-") for id_ in json.loads(rounds[2])["queried"])


def test_a_file_that_breaks_while_it_runs_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = WRITERS["folder"](tmp_path / "data")
    read = ImageFiles.read

    def spoil(source: ImageFiles, rows: Rows) -> Images:
        name = source._ids[rows[0]]
        if name.startswith("train/"):
            (tmp_path / "data" / name).write_bytes(b"")
        return read(source, rows)

    monkeypatch.setattr(ImageFiles, "read", spoil)
    out = tmp_path / "run"
    command = ["train", "--method", "bald", *SMALL, "--steps", "5", *flags, "--stream"]
    assert main([*command, "--out", str(out)]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("bgadl: 1 image of ")
    assert ".png (" in message
    assert message.endswith("run the same command again: the run goes on without them")
