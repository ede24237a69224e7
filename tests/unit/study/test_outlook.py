from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.study import durations, running
from bgadl_tf.study.outlook import duration, outlook
from bgadl_tf.study.tasks import tasks_of
from tests.support.study.folders import write_run
from tests.support.study.protocols import fake_train, on_datasets, protocol, tasks

__all__ = ["fake_train"]


def test_what_is_left_takes_as_long_as_what_is_finished(tmp_path: Path) -> None:
    made = tasks(tmp_path, "bgadl", "bald", seeds=(0, 1, 2))
    write_run(tmp_path / "bgadl" / "seed_0", [0.1] * 11)
    write_run(tmp_path / "bgadl" / "seed_1", [0.1] * 6, seed=1, rounds=10)
    write_run(tmp_path / "bald" / "seed_0", [0.1] * 11, method="bald")
    for task, seconds in zip(made[:2], (100.0, 30.0), strict=True):
        durations.note(task, seconds)
    durations.note(made[0], 200.0)
    found = outlook(made, durations.measured(tmp_path), jobs=2)
    # bgadl: 150 s a run, 5 of 11 rounds and a whole run are left; bald: two of 30 s.
    assert found.seconds == pytest.approx((150 * (5 / 11 + 1) + 60) / 2)
    assert found.line() == (
        "6 runs of 2 arms: 2 finished, 1 half made, 3 to make; about 2 min, 2 at a time, by those "
        "that are finished here"
    )
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in found.report().splitlines()[4:]
    ]
    assert rows == [["bgadl", "1", "1", "1", "150"], ["bald", "1", "0", "2", "30"]]


def test_arms_that_are_not_measured_are_named(tmp_path: Path) -> None:
    made = tasks(tmp_path, "bgadl", "bald", "random")
    durations.note(made[1], 30.0)
    found = outlook(made, durations.measured(tmp_path), jobs=1)
    assert found.seconds == 30
    assert found.line().endswith(
        "about 30 s, one at a time, by those that are finished here, without bgadl and random, of "
        "which none is"
    )
    assert "told once some are finished" in outlook(made, {}, 1).line()


def test_an_arm_takes_its_time_on_each_dataset(tmp_path: Path) -> None:
    made = tasks_of(on_datasets(protocol("bgadl", seeds=(0, 1)), {"a": {}, "b": {}}), tmp_path)
    for task, seconds in zip(made[:2], (10.0, 30.0), strict=True):
        durations.note(task, seconds)
        write_run(task.folder, [0.1] * 11)
    found = outlook(made, durations.measured(tmp_path), jobs=1)
    assert [(arm.name, arm.seconds) for arm in found.arms] == [("a/bgadl", 10), ("b/bgadl", 30)]
    assert found.line().startswith(
        "4 runs of 1 arm on 2 datasets: 2 finished, 2 to make; about 40 s,"
    )


def test_without_durations_the_seconds_of_finished_rounds_are_those(tmp_path: Path) -> None:
    write_run(tmp_path / "bgadl" / "seed_0", [0.1] * 11)
    found = outlook(tasks(tmp_path, "bgadl", seeds=(0, 1)), {}, jobs=1)
    assert found.seconds == pytest.approx(11 * 1.75)


def test_a_damaged_run_is_one_to_make(tmp_path: Path) -> None:
    made = tasks(tmp_path, "bgadl", seeds=(0, 1))
    (write_run(tmp_path / "bgadl" / "seed_0", [0.1]) / "config.json").write_text("{")
    assert outlook(made, {}, jobs=1).line().startswith("2 runs of 1 arm: 1 half made, 1 to make")


def test_a_run_that_goes_on_is_not_measured(tmp_path: Path, fake_train: tuple[str, ...]) -> None:
    write_run(tmp_path / "bgadl" / "seed_0", [0.1] * 6, rounds=10)
    made = tasks(tmp_path, "bgadl", seeds=(0, 1))
    assert running.run(made, train=fake_train, tell=lambda _: None) == []
    assert len(durations.measured(tmp_path)["bgadl"]) == 1
    assert running.run(made, train=fake_train, tell=lambda _: None) == []
    assert len(durations.measured(tmp_path)["bgadl"]) == 1


@pytest.mark.parametrize(
    "text", ["{", "[1]\n", '{"arm": "bald"}\n', '{"arm": 1, "seconds": "x"}\n']
)
def test_damaged_durations_are_none(tmp_path: Path, text: str) -> None:
    assert durations.measured(tmp_path) == {}
    (tmp_path / "durations.jsonl").write_text(text)
    assert durations.measured(tmp_path) == {}


def test_a_duration_after_one_that_was_cut_short(tmp_path: Path) -> None:
    (task,) = tasks(tmp_path, "bgadl")
    durations.note(task, 10.0)
    with (tmp_path / "durations.jsonl").open("a") as file:
        file.write('{"arm": "bg')
    durations.note(task, 20.0)
    assert durations.measured(tmp_path) == {"bgadl": [10, 20]}


def test_a_run_has_not_failed_where_its_duration_cannot_be_written(
    tmp_path: Path, fake_train: tuple[str, ...]
) -> None:
    (tmp_path / "durations.jsonl").mkdir()
    assert running.run(tasks(tmp_path, "bgadl"), train=fake_train) == []


def test_one_without_a_finished_round_goes_on(tmp_path: Path) -> None:
    made = tasks(tmp_path, "bgadl")
    write_run(tmp_path / "bgadl" / "seed_0", [], rounds=10)
    assert "1 half made, 0 to make" in outlook(made, {}, jobs=1).line()


def test_durations_for_people() -> None:
    assert [duration(seconds) for seconds in (0, 99, 100, 5900, 12_000)] == [
        "0 s", "99 s", "2 min", "98 min", "3 h 20 min",
    ]  # fmt: skip
