"""``bgadl study`` on several datasets, with runs that end at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgadl_tf import cli
from tests.support.study.protocols import fake_train, in_this_process, write_study
from tests.support.study.tuning import call

__all__ = ["fake_train", "in_this_process"]

SPACES = """
arms: [bgadl, random]
seeds: [0]
settings: {dataset: digits, rounds: 1}
datasets:
  small: {image_size: 8}
  large: {image_size: 14}
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, in_this_process: None) -> Path:
    return write_study(tmp_path, SPACES)


def test_a_study_of_several_datasets_on_two_machines(
    file: Path, tmp_path: Path, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out, "--dry-run") == 0
    told = capfd.readouterr().out.splitlines()
    assert told[0].startswith("4 runs of 2 arms on 2 datasets: 4 to make; ")
    assert [line.split("|")[1].strip() for line in told[4:]] == [
        "small/bgadl", "small/random", "large/bgadl", "large/random",
    ]  # fmt: skip
    for shard in ("1/2", "2/2"):
        assert call("study", file, "--out", out, "--shard", shard) == 0
    capfd.readouterr()
    assert call("study", file, "--out", out) == 0
    assert capfd.readouterr().out.count("finished before") == 4
    assert json.loads((out / "large/bgadl/seed_0/config.json").read_text())["image_size"] == 14
    text = (out / "report.md").read_text()
    assert text.startswith("# Study: 2 arms, 4 runs\n")
    assert call("report", out) == 0
    assert (out / "report.md").read_text() == text
    arms = [json.loads(line)["arm"] for line in (out / "durations.jsonl").read_text().splitlines()]
    assert sorted(arms) == ["large/bgadl", "large/random", "small/bgadl", "small/random"]


def test_a_dataset_may_be_added_and_a_failure_names_its_own(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    out = tmp_path / "out"
    assert call("study", file, "--out", out) == 0
    file.write_text(SPACES + "  larger: {image_size: 20, seeds: [3]}\n")
    monkeypatch.setenv("FAKE_FAILS", "3")
    capfd.readouterr()
    assert call("study", file, "--out", out) == 1
    told = capfd.readouterr()
    assert told.out.count("finished before") == 4
    log = out / "larger/bgadl/seed_3.log"
    assert f"larger/bgadl seed 3 failed: train: the sky fell (log: {log})" in told.err
    assert "> **larger**: no run is finished yet." in (out / "report.md").read_text()
    file.write_text(SPACES)
    assert call("study", file, "--out", out) == cli.BAD_INPUT
    assert "arm 'larger/bgadl' is missing now" in capfd.readouterr().err


def test_an_absent_dataset_is_told_before_any_run(
    file: Path, tmp_path: Path, capfd: Capture
) -> None:
    gone, out = tmp_path / "gone", tmp_path / "out"
    file.write_text(
        "arms: [random]\nseeds: [0]\ndatasets:\n  here: {dataset: digits}\n"
        f"  none: {{dataset: 'embeddings:{gone}'}}\n"
    )
    assert call("study", file, "--out", out) == cli.BAD_INPUT
    error = capfd.readouterr().err
    assert f"{file}, line 5: arms.random on datasets.none: dataset is 'embeddings:{gone}'" in error
    assert error.count("\n") == 1
    assert not out.exists()
    gone.mkdir()
    assert call("study", file, "--out", out) == 0
    # What is finished can be reported on without it.
    gone.rmdir()
    assert call("study", file, "--out", out) == 0
