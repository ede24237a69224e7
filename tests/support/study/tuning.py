"""Tuning files, and trials whose runs are written at once instead of trained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf import cli
from bgadl_tf.study import running
from bgadl_tf.study.tasks import Task
from tests.support.study.folders import write_run

BEST = 300
"""Steps with which a run of ``quick_runs`` is the most accurate."""

TUNE = """
tuner: random
trials: 4
seeds: [100, 101]
settings:
  method: bgadl-semi
  dataset: digits
  rounds: 2
  options: {vaeacgan.width: 0.25}
space:
  steps: {min: 100, max: 900, step: 100}
  dropout: {min: 0.1, max: 0.5}
  warm_start: [true, false]
  options:
    vaeacgan.kl_weight: {min: 1.0e-4, max: 1, log: true}
"""


def tuning_yaml(folder: Path, text: str = TUNE) -> Path:
    path = folder / "tune.yaml"
    path.write_text(text)
    return path


def call(*words: str | Path) -> int:
    try:
        return cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)


class Runs:
    """Takes the place of ``running.run``.

    Attributes:
        made: Folders of the runs that were made, in order.
        fails_above: Steps with more of which a run fails.
        interrupted_at: How many runs are made before an interrupt.
    """

    def __init__(self) -> None:
        self.made: list[Path] = []
        self.fails_above = 10**9
        self.interrupted_at = 10**9

    def run(self, tasks: Sequence[Task], **_: Any) -> list[running.Failure]:
        failures = []
        for task in tasks:
            if task.finished():
                continue
            if len(self.made) >= self.interrupted_at:
                raise KeyboardInterrupt
            steps = task.config.steps
            self.made.append(task.folder)
            if steps > self.fails_above:
                task.log.parent.mkdir(parents=True, exist_ok=True)
                task.log.write_text("train: too many steps\n")
                failures.append(running.Failure(task, task.last_words()))
                continue
            last = 0.9 - abs(steps - BEST) / 10_000 - task.config.seed / 100_000
            settings = task.config.to_json() | {"initial_size": 20}
            write_run(task.folder, [0.5] * task.config.rounds + [last], **settings)
        return failures


@pytest.fixture
def quick_runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    for name in [name for name in os.environ if name.startswith("KERASTUNER_")]:
        monkeypatch.delenv(name)
    runs = Runs()
    monkeypatch.setattr(running, "run", runs.run)
    return runs
