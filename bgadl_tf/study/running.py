"""The runs of a study: every one a process of its own, resumable, some at a time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple

from bgadl_tf.core import lock
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.study import durations
from bgadl_tf.study.processes import Processes, share_of_threads
from bgadl_tf.study.tasks import Task

TRAIN = (sys.executable, "-m", "bgadl_tf.cli", "train")
_SECONDS_TO_LOOK = 0.5
"""Between two looks at whether another process still works in a folder."""


@dataclass(frozen=True)
class Failure:
    """A run that did not come to its end.

    Attributes:
        task: The run.
        reason: The last line it printed, or what was wrong with its folder.
    """

    task: Task
    reason: str


class _End(NamedTuple):
    told: str
    failure: Failure | None = None
    seconds: float | None = None  # Of a run that was made in one go.


def run(
    tasks: Sequence[Task],
    *,
    jobs: int = 1,
    train: Sequence[str] = TRAIN,
    tell: Callable[[str], None] = print,
) -> list[Failure]:
    """Make every run that is not finished, ``jobs`` at a time.

    Unfinished runs resume. A run that fails does not keep the others from being made. A run that
    another process is at work in, such as one that a killed study has left behind, is waited for.
    On an interrupt the runs under way are told to stop, and the interrupt goes on.

    Args:
        tasks: The runs.
        jobs: Processes at a time; each gets its share of the CPU cores.
        train: Command that trains.
        tell: Told of every run's beginning and end.

    Returns:
        The runs that failed.
    """
    environment = {**share_of_threads(jobs), **os.environ, "PYTHONUNBUFFERED": "1"}
    processes = Processes()
    failures: list[Failure] = []
    done = 0
    telling = threading.Lock()

    def say(line: str) -> None:
        # What two threads print at once ends in one line.
        with telling:
            tell(line)

    def attempt(task: Task) -> _End:
        say(f"{task.name}: begins; log in {task.log}")
        anew = not task.begun
        start = time.monotonic()
        status = processes.call([*train, *task.flags], task.log, environment)
        seconds = time.monotonic() - start
        if status == 0 and task.trained():
            accuracy = task.run().curve.accuracy[-1]
            told = f"test accuracy {100 * accuracy:.2f} % in {seconds:.0f} s"
            return _End(told, seconds=seconds if anew else None)
        reason = task.last_words() or "it printed nothing"
        return _End(f"FAILED with status {status}: {reason}", Failure(task, reason))

    def waited_for(task: Task) -> bool:
        if not lock.is_held(task.lock):
            return False
        say(f"{task.name}: another process is at work in {task.folder}; waiting for it")
        while lock.is_held(task.lock) and not processes.stopping_within(_SECONDS_TO_LOOK):
            pass
        return not processes.stopping_within(0.0)

    def work(task: Task) -> _End:
        try:
            while not task.finished():
                if waited_for(task):
                    continue
                end = attempt(task)
                # One that another process had begun meanwhile has been refused.
                refused = end.failure and (lock.is_held(task.lock) or task.finished())
                if not refused or processes.stopping_within(0.0):
                    return end
            return _End("finished before")
        except (RunFolderError, OSError) as error:
            return _End(f"FAILED: {error}", Failure(task, str(error)))

    with ThreadPoolExecutor(jobs) as pool:
        open_: dict[Future[_End], Task] = {pool.submit(work, task): task for task in tasks}
        try:
            while open_:
                # Woken now and then, so that an interrupt is not kept waiting.
                for future in wait(open_, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    task, end = open_.pop(future), future.result()
                    done += 1
                    say(f"[{done}/{len(tasks)}] {task.name}: {end.told}")
                    if end.seconds is not None:
                        durations.note(task, end.seconds)
                    if end.failure is not None:
                        failures.append(end.failure)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise
    return failures
