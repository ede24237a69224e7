from __future__ import annotations

import math
from pathlib import Path

import pytest

from bgadl_tf.core.lock import LOCK
from bgadl_tf.study.tasks import Task
from bgadl_tf.study.tuning import trials, tuning_file
from bgadl_tf.study.tuning.trials import Trial
from tests.support.held import held
from tests.support.study.folders import write_run
from tests.support.study.tuning import TUNE, Runs, quick_runs, tuning_yaml

__all__ = ["quick_runs"]


def trial(tmp_path: Path, steps: int = 200, share: float = 1.0) -> Trial:
    tuning = tuning_file.read(tuning_yaml(tmp_path, TUNE.replace("rounds: 2", "rounds: 0")))
    return Trial.of(tuning, tmp_path / "out", "000", {"steps": steps}, share)


def test_another_worker_at_the_same_trial_is_waited_for(quick_runs: Runs, tmp_path: Path) -> None:
    own, told = trial(tmp_path), list[str]()
    with held(own.folder / LOCK, seconds=1):
        assert trials.make(own.tasks, jobs=1, train=(), tell=told.append) == []
        assert quick_runs.made == [task.folder for task in own.tasks]
    assert told == [f"another process is at work in {own.folder}; waiting for it"]
    assert own.finished()


def test_a_trial_has_the_same_folder_whatever_its_number_is(tmp_path: Path) -> None:
    tuning = tuning_file.read(tuning_yaml(tmp_path))
    one = Trial.of(tuning, tmp_path, "003", {"steps": 200}, 1.0)
    other = Trial.of(tuning, tmp_path, "004", {"steps": 200}, 1.0, data_dir="/elsewhere")
    assert one.folder == other.folder
    assert one.folder != Trial.of(tuning, tmp_path, "003", {"steps": 200}, 0.5).folder
    assert [task.folder.name for task in one.tasks] == ["seed_100", "seed_101"]


def write_round(task: Task, accuracy: float) -> None:
    settings = task.config.to_json() | {"rounds": 0, "initial_size": 20}
    write_run(task.folder, [accuracy], **settings)


def test_a_single_round_has_its_accuracy_for_an_area(tmp_path: Path) -> None:
    own = trial(tmp_path)
    for task, accuracy in zip(own.tasks, (0.5, 0.7), strict=True):
        write_round(task, accuracy)
    found = own.scores("aubc")
    assert found is not None
    assert found["aubc"] == found["accuracy"] == pytest.approx(0.6)
    assert found["nll"] == pytest.approx(0.4)
    assert found["seconds"] == 2 * 1.75


def test_what_is_not_finite_is_a_failure(tmp_path: Path) -> None:
    own = trial(tmp_path)
    for task in own.tasks:
        write_round(task, math.nan)
    assert own.scores("nll") is None
    assert own.reason() == "what it comes to is not finite"
