from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from bgadl_tf.core.errors import ConfigError, RunFolderError, UnknownNameError
from bgadl_tf.study import arms, runs
from tests.support.study.folders import write_run

FAKE = (sys.executable, "-m", "tests.support.study.fake_train")


@pytest.fixture(autouse=True)
def _from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)


def test_makes_every_arm_with_every_seed_and_shares_the_cores(tmp_path: Path) -> None:
    told: list[str] = []
    failed = arms.run(
        ["bgadl", "plain+margin"], [0, 1], tmp_path, jobs=2, train=FAKE, tell=told.append
    )
    assert failed == []
    found = [runs.read(folder.parent) for folder in sorted(tmp_path.glob("*/*/config.json"))]
    assert [(run.arm, run.seed) for run in found] == [
        ("bgadl", 0), ("bgadl", 1), ("plain+margin", 0), ("plain+margin", 1),
    ]  # fmt: skip
    assert all(int(run.config["threads"]) >= 1 for run in found)
    assert sum("test accuracy" in line for line in told) == 4


def test_finished_runs_are_not_made_again(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "bgadl" / "seed_0", [0.1, 0.2])
    told: list[str] = []
    assert arms.run(["bgadl"], [0, 1], tmp_path, train=FAKE, tell=told.append) == []
    assert runs.read(folder).curve.accuracy.tolist() == [0.1, 0.2]
    assert "[1/2] bgadl seed 0: finished before" in told


def test_a_failing_run_does_not_stop_the_others(tmp_path: Path) -> None:
    flags = ["--fail-seed", "0"]
    told: list[str] = []
    failed = arms.run(["bgadl"], [0, 1], tmp_path, train_flags=flags, train=FAKE, tell=told.append)
    assert [(failure.task.name, failure.reason) for failure in failed] == [
        ("bgadl seed 0", "train: the sky fell")
    ]
    assert runs.read(tmp_path / "bgadl" / "seed_1").finished
    assert any("FAILED with status 1: train: the sky fell" in line for line in told)


def test_a_damaged_folder_is_a_failure_of_its_own(tmp_path: Path) -> None:
    (write_run(tmp_path / "bgadl" / "seed_0", [0.1]) / "config.json").write_text("{")
    failed = arms.run(["bgadl"], [0, 1], tmp_path, train=FAKE, tell=lambda _: None)
    assert len(failed) == 1
    assert "cannot read" in failed[0].reason


def test_other_flags_need_another_folder(tmp_path: Path) -> None:
    arms.run(["bgadl"], [0], tmp_path, train=FAKE, tell=lambda _: None)
    with pytest.raises(RunFolderError, match="begun with the training flags '', not '--hang'"):
        arms.run(["bgadl"], [1], tmp_path, train_flags=["--hang"], train=FAKE)


def test_an_interrupt_ends_the_runs_under_way(tmp_path: Path) -> None:
    started = tmp_path / "bgadl" / "seed_0" / "pid"

    def interrupt(line: str) -> None:
        if "FAILED" in line:
            raise KeyboardInterrupt

    # Seed 1 fails when seed 0 hangs; the interrupt then finds one run under way.
    flags = ["--hang", "--fail-seed", "1"]
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        arms.run(["bgadl"], [0, 1], tmp_path, jobs=2, train_flags=flags, train=FAKE, tell=interrupt)
    assert time.monotonic() - begun < 30
    if started.exists():
        assert not Path("/proc", started.read_text()).exists()


@pytest.mark.parametrize(
    ("names", "seeds", "jobs", "flags", "message"),
    [
        ([], [0], 1, [], "no arm"),
        (["bgadl"], [], 1, [], "no seed"),
        (["bgadl", "bgadl"], [0], 1, [], "given twice"),
        (["bgadl"], [0, 0], 1, [], "given twice"),
        (["bgadl"], [-1], 1, [], "negative"),
        (["bgadl"], [0], 0, [], "--jobs is 0"),
        (["plain+"], [0], 1, [], "both parts"),
        (["bgadl"], [0], 1, ["--out", "x"], "--out after --"),
        (["bgadl"], [0], 1, ["--see=3"], "--see after --"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(
    tmp_path: Path, names: list[str], seeds: list[int], jobs: int, flags: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        arms.run(names, seeds, tmp_path / "out", jobs=jobs, train_flags=flags, train=FAKE)
    assert not (tmp_path / "out").exists()


def test_an_unknown_method_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'bgadl'"):
        arms.run(["bgadll"], [0], tmp_path, train=FAKE)
