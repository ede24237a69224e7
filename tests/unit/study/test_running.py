from __future__ import annotations

import time
from pathlib import Path

import pytest

from bgadl_tf.runs.config import RunConfig
from bgadl_tf.study import own_runs, running, runs
from bgadl_tf.study.protocol import Arm, Protocol
from bgadl_tf.study.tasks import tasks_of
from tests.support.held import held
from tests.support.study.folders import write_run
from tests.support.study.protocols import fake_train, protocol, tasks

__all__ = ["fake_train"]

Command = tuple[str, ...]


def test_makes_every_arm_with_every_seed_and_shares_the_cores(
    tmp_path: Path, fake_train: Command
) -> None:
    pair = RunConfig(learner="plain", acquisition="margin", options=("width=0.5",))
    bgadl = RunConfig(method="bgadl", steps=7)
    protocol = Protocol((Arm("bgadl", bgadl, (0, 1)), Arm("narrow", pair, (1,))))
    told: list[str] = []
    made = tasks_of(protocol, tmp_path, data_dir="/somewhere")
    assert running.run(made, jobs=2, train=fake_train, tell=told.append) == []
    found = own_runs.find(tmp_path, None).runs
    assert [(run.arm, run.method, run.seed) for run in found] == [
        ("bgadl", "bgadl", 0), ("bgadl", "bgadl", 1), ("narrow", "plain+margin", 1),
    ]  # fmt: skip
    assert [run.config["steps"] for run in found] == [7, 7, 300]
    assert found[2].config["options"] == ["width=0.5"]
    assert all(run.config["data_dir"] == "/somewhere" for run in found)
    assert all(int(run.config["threads"]) >= 1 for run in found)
    assert sum("test accuracy" in line for line in told) == 3


def test_finished_runs_are_not_made_again(tmp_path: Path, fake_train: Command) -> None:
    folder = write_run(tmp_path / "bgadl" / "seed_0", [0.1, *[0.2] * 10])
    told: list[str] = []
    made = tasks(tmp_path, "bgadl", seeds=(0, 1))
    assert running.run(made, train=fake_train, tell=told.append) == []
    assert runs.read(folder).curve.accuracy.tolist() == [0.1, *[0.2] * 10]
    assert "[1/2] bgadl seed 0: finished before" in told


def test_finished_runs_go_on_when_the_study_has_more_rounds(
    tmp_path: Path, fake_train: Command
) -> None:
    folder = write_run(tmp_path / "bgadl" / "seed_0", [0.1, 0.2])
    assert running.run(tasks(tmp_path, "bgadl"), train=fake_train) == []
    assert len(runs.read(folder).rounds) == 11


def test_a_run_that_was_killed_before_its_export_is_called_again(
    tmp_path: Path, fake_train: Command
) -> None:
    write_run(tmp_path / "bgadl" / "seed_0", [0.1, *[0.2] * 10])
    for exports, told in (
        (False, "finished before"),
        (True, "test acc"),
        (True, "finished before"),
    ):
        made = tasks_of(protocol("bgadl"), tmp_path, exports=exports)
        lines: list[str] = []
        assert running.run(made, train=fake_train, tell=lines.append) == []
        assert lines[-1].startswith(f"[1/1] bgadl seed 0: {told}")


def test_a_finished_run_of_another_configuration_is_a_failure_and_stays(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "bgadl" / "seed_0", [0.1, *[0.2] * 10], steps=100)
    before = (folder / "config.json").read_text()
    (failed,) = running.run(tasks(tmp_path, "bgadl"), train=("false",))
    assert "holds a run of another configuration: steps is 100, the study's is 300" in failed.reason
    assert (folder / "config.json").read_text() == before


def test_a_failing_run_does_not_stop_the_others(
    tmp_path: Path, fake_train: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FAILS", "0")
    told: list[str] = []
    made = tasks(tmp_path, "bgadl", seeds=(0, 1))
    failed = running.run(made, train=fake_train, tell=told.append)
    assert [(failure.task.name, failure.reason) for failure in failed] == [
        ("bgadl seed 0", "train: the sky fell")
    ]
    assert runs.read(tmp_path / "bgadl" / "seed_1").finished
    assert any("FAILED with status 1: train: the sky fell" in line for line in told)


def test_what_another_process_is_at_work_in_is_waited_for(
    tmp_path: Path, fake_train: Command
) -> None:
    made, told = tasks(tmp_path, "bgadl", seeds=(0, 1)), list[str]()
    with held(made[0].lock, seconds=1):
        assert running.run(made, jobs=2, train=fake_train, tell=told.append) == []
    name, folder = made[0].name, made[0].folder
    waiting = told.index(f"{name}: another process is at work in {folder}; waiting for it")
    assert waiting < told.index(f"{name}: begins; log in {made[0].log}")
    assert all(task.finished() for task in made)


def test_what_another_process_has_made_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    (made,), told = tasks(tmp_path, "bgadl"), list[str]()

    def tell(line: str) -> None:
        told.append(line)
        if "waiting for it" in line:
            write_run(made.folder, [0.1, *[0.2] * 10])

    with held(made.lock, seconds=1):
        assert running.run([made], train=("false",), tell=tell) == []
    assert told[1:] == ["[1/1] bgadl seed 0: finished before"]


def test_who_looks_at_a_finished_run_is_not_waited_for(tmp_path: Path) -> None:
    (made,), told = tasks(tmp_path, "bgadl"), list[str]()
    write_run(made.folder, [0.1, *[0.2] * 10])
    with held(made.lock):
        assert running.run([made], train=("false",), tell=told.append) == []
    assert told == ["[1/1] bgadl seed 0: finished before"]


def test_a_run_that_another_process_began_first_is_no_failure(
    tmp_path: Path, fake_train: Command
) -> None:
    made, told = tasks(tmp_path, "bgadl"), list[str]()
    refused = ("sh", "-c", '"$@"; exit 1', "sh", *fake_train)
    assert running.run(made, train=refused, tell=told.append) == []
    assert told[-1] == "[1/1] bgadl seed 0: finished before"


def test_one_line_is_told_at_a_time(tmp_path: Path, fake_train: Command) -> None:
    telling: list[str] = []
    at_once: list[tuple[str, ...]] = []

    def tell(line: str) -> None:
        telling.append(line)
        time.sleep(0.2)
        at_once.append(tuple(telling))
        telling.remove(line)

    running.run(tasks(tmp_path, "bgadl", seeds=(0, 1)), jobs=2, train=fake_train, tell=tell)
    assert len(at_once) == 4
    assert all(len(lines) == 1 for lines in at_once)


def test_an_interrupt_ends_the_wait(tmp_path: Path, fake_train: Command) -> None:
    made = tasks(tmp_path, "bgadl", seeds=(0, 1))

    def interrupt(line: str) -> None:
        if line.startswith("[1/2]"):
            raise KeyboardInterrupt

    begun = time.monotonic()
    with held(made[0].lock), pytest.raises(KeyboardInterrupt):
        running.run(made, jobs=2, train=fake_train, tell=interrupt)
    assert time.monotonic() - begun < 30  # It would be held for a minute.
    assert not made[0].finished()


def test_a_damaged_folder_is_a_failure_of_its_own(tmp_path: Path, fake_train: Command) -> None:
    (write_run(tmp_path / "bgadl" / "seed_0", [0.1]) / "config.json").write_text("{")
    made = tasks(tmp_path, "bgadl", seeds=(0, 1))
    failed = running.run(made, train=fake_train, tell=lambda _: None)
    assert len(failed) == 1
    assert "cannot read" in failed[0].reason


def test_an_interrupt_ends_the_runs_under_way(
    tmp_path: Path, fake_train: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "bgadl" / "seed_0" / "pid"

    def interrupt(line: str) -> None:
        if "FAILED" in line:
            raise KeyboardInterrupt

    # Seed 1 fails when seed 0 hangs; the interrupt then finds one run under way.
    monkeypatch.setenv("FAKE_HANGS", "0")
    monkeypatch.setenv("FAKE_FAILS", "1")
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        running.run(
            tasks(tmp_path, "bgadl", seeds=(0, 1)), jobs=2, train=fake_train, tell=interrupt
        )
    assert time.monotonic() - begun < 30
    if started.exists():
        assert not Path("/proc", started.read_text()).exists()
