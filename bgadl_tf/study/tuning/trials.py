"""One trial: its runs, and what they come to."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bgadl_tf.core import lock
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.core.lock import LOCK
from bgadl_tf.study import learning_curve, running
from bgadl_tf.study.tasks import Task
from bgadl_tf.study.tuning import arm
from bgadl_tf.study.tuning.tuning_file import Tuning

FOLDER = "trials"


@dataclass(frozen=True)
class Trial:
    """One combination of values.

    Attributes:
        name: How messages call it: its number.
        values: By the names of the space.
        share: Of the gradient steps.
        tasks: Its runs, one a seed, in ``trials/DIGEST/seed_N``, whatever the trial's number is: a
            search that goes on may come to it in another order. None where
            the values cannot go together.
        refused: Why they cannot be.
    """

    name: str
    values: Mapping[str, Any]
    share: float
    tasks: tuple[Task, ...]
    refused: str | None = None

    @classmethod
    def of(
        cls,
        tuning: Tuning,
        out: Path,
        name: str,
        values: Mapping[str, Any],
        share: float,
        data_dir: str | None = None,
    ) -> Trial:
        """The trial of a search: values that each can be may not go together."""
        try:
            config = dataclasses.replace(tuning.tuned.trial(values, share), data_dir=data_dir)
        except ConfigError as error:
            return cls(name, values, share, (), str(error))
        folder = out / FOLDER / arm.digest(config)
        tasks = tuple(
            Task(f"trial {name}", folder / f"seed_{seed}", dataclasses.replace(config, seed=seed))
            for seed in tuning.seeds
        )
        return cls(name, values, share, tasks)

    @property
    def folder(self) -> Path:
        """Of its runs, if it has any."""
        return self.tasks[0].folder.parent

    def finished(self) -> bool:
        """Whether all its runs are over.

        Raises:
            RunFolderError: The folder of one is damaged.
        """
        return self.refused is None and all(task.trained() for task in self.tasks)

    def scores(self, objective: str) -> dict[str, float] | None:
        """Means over its runs of ``aubc``, and of ``accuracy`` and ``nll`` of the last round; and
        the sum of their ``seconds``.

        Returns:
            None where it failed: a run is not finished, or the objective is not finite.
        """
        try:
            if not self.finished():
                return None
            runs = [_measured(task) for task in self.tasks]
        except RunFolderError:
            return None
        means = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
        found = {**means, "seconds": sum(run["seconds"] for run in runs)}
        return found if math.isfinite(found[objective]) else None

    def reason(self) -> str:
        """Why it failed: what was wrong with the first run that is not finished."""
        if self.refused is not None:
            return self.refused
        for task in self.tasks:
            try:
                if not task.trained():
                    return f"{task.name}: {task.last_words() or 'it printed nothing'}"
            except RunFolderError as error:
                return f"{task.name}: {error}"
        return "what it comes to is not finite"


def make(
    tasks: Sequence[Task], *, jobs: int, train: Sequence[str], tell: Callable[[str], None]
) -> list[running.Failure]:
    """Make the runs of a trial that are not finished.

    Another worker that was given the same values is waited for; so are, by ``running.run``, runs
    that a search that was killed has left behind.

    Returns:
        The runs that failed.
    """
    with _alone_in(tasks[0].folder.parent, tell):
        return running.run(tasks, jobs=jobs, train=train, tell=tell)


def _measured(task: Task) -> dict[str, float]:
    run = task.run()
    curve = run.curve
    last = float(curve.accuracy[-1])
    aubc = learning_curve.aubc(curve)
    return {
        # Of one round there is no area.
        "aubc": last if math.isnan(aubc) else aubc,
        "accuracy": last,
        "nll": float(run.measured.column("test_nll")[-1]),
        "seconds": sum(float(s) for r in run.rounds for s in r.get("seconds", {}).values()),
    }


@contextmanager
def _alone_in(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    if lock.is_held(folder / LOCK):
        tell(f"another process is at work in {folder}; waiting for it")
    while (descriptor := lock.hold(folder / LOCK)) is None:
        time.sleep(0.5)
    try:
        yield
    finally:
        os.close(descriptor)
