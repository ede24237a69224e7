"""Arms × seeds: every run a process of its own, resumable, some at a time.

An experiment's folder holds::

    protocol.json              the training flags that all runs share
    <arm>/seed_<n>/            one run folder each
    <arm>/seed_<n>.log         what the run printed
    report.md  results.json  learning_curves.png      written by ``report.write``

An arm is a method (``bgadl``) or a pair ``LEARNER+ACQUISITION``. Runs of one seed share their
initial set, so arms are compared seed by seed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError, RunFolderError
from bgadl_tf.runs.methods import METHODS
from bgadl_tf.study import runs

TRAIN = (sys.executable, "-m", "bgadl_tf.cli", "train")

_SET_BY_ARMS = ("--method", "--learner", "--acquisition", "--seed", "--out")
_SECONDS_TO_STOP = 20.0


@dataclass(frozen=True)
class Task:
    """One run that is to be made.

    Attributes:
        arm: Its arm.
        seed: Its root seed.
        folder: Its run folder.
    """

    arm: str
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.arm} seed {self.seed}"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder.with_name(self.folder.name + ".log")

    @property
    def flags(self) -> list[str]:
        """Its own training flags."""
        learner, plus, acquisition = self.arm.partition("+")
        arm = (
            ["--learner", learner, "--acquisition", acquisition] if plus else ["--method", self.arm]
        )
        return [*arm, "--seed", str(self.seed), "--out", str(self.folder)]

    def finished(self) -> bool:
        """Whether the run is over.

        Raises:
            RunFolderError: Its folder is damaged.
        """
        return (self.folder / "config.json").exists() and runs.read(self.folder).finished


@dataclass(frozen=True)
class Failure:
    """A run that did not come to its end.

    Attributes:
        task: The run.
        reason: The last line it printed, or what was wrong with its folder.
    """

    task: Task
    reason: str


def run(
    arms: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    jobs: int = 1,
    train_flags: Sequence[str] = (),
    train: Sequence[str] = TRAIN,
    tell: Callable[[str], None] = print,
) -> list[Failure]:
    """Make every run of arms × seeds that is not finished, ``jobs`` at a time.

    Unfinished runs resume. A run that fails does not keep the others from being made. On an
    interrupt the runs under way are told to stop, and the interrupt goes on.

    Args:
        arms: Names of methods, or ``LEARNER+ACQUISITION``.
        seeds: Root seeds.
        out: Folder of the experiment.
        jobs: Processes at a time; each gets its share of the CPU cores.
        train_flags: Further flags of every run.
        train: Command that trains.
        tell: Told of every run's beginning and end.

    Returns:
        The runs that failed.

    Raises:
        ConfigError: An arm, a seed, ``jobs`` or a flag cannot be.
        RunFolderError: ``out`` belongs to an experiment with other flags.
    """
    tasks = _tasks(arms, seeds, out, jobs, train_flags)
    _claim(out, train_flags)
    environment = {**_share_of_threads(jobs), **os.environ, "PYTHONUNBUFFERED": "1"}
    processes = _Processes()
    failures: list[Failure] = []
    done = 0

    def work(task: Task) -> tuple[str, Failure | None]:
        try:
            if task.finished():
                return "finished before", None
            tell(f"{task.name}: begins; log in {task.log}")
            start = time.monotonic()
            status = processes.call([*train, *task.flags, *train_flags], task.log, environment)
            seconds = time.monotonic() - start
            if status == 0 and task.finished():
                accuracy = runs.read(task.folder).curve.accuracy[-1]
                return f"test accuracy {100 * accuracy:.2f} % in {seconds:.0f} s", None
        except (RunFolderError, OSError) as error:
            return f"FAILED: {error}", Failure(task, str(error))
        reason = _last_line(task.log) or "it printed nothing"
        return f"FAILED with status {status}: {reason}", Failure(task, reason)

    with ThreadPoolExecutor(jobs) as pool:
        open_: dict[Future[tuple[str, Failure | None]], Task] = {
            pool.submit(work, task): task for task in tasks
        }
        try:
            while open_:
                # Woken now and then, so that an interrupt is not kept waiting.
                for future in wait(open_, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    task = open_.pop(future)
                    words, failure = future.result()
                    done += 1
                    tell(f"[{done}/{len(tasks)}] {task.name}: {words}")
                    if failure is not None:
                        failures.append(failure)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise
    return failures


class _Processes:
    """Child processes that end with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def call(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
        """Run a command to its end with its output appended to ``log``; its exit status."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            with self._lock:
                if self._stopping:
                    return -signal.SIGINT
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                    env=dict(environment),
                )  # fmt: skip
                self._running.add(process)
            try:
                return process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """Interrupt every process, and end those that do not heed it."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for process in running:
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def _tasks(
    arms: Sequence[str], seeds: Sequence[int], out: Path, jobs: int, train_flags: Sequence[str]
) -> list[Task]:
    """Every run, seed by seed, so that an early look compares all arms."""
    for what, given in (("arm", arms), ("seed", seeds)):
        if not given:
            raise ConfigError(f"no {what} was given; give at least one")
        if len(set(given)) < len(given):
            raise ConfigError(f"an {what} was given twice: {' '.join(map(str, given))}")
    if jobs < 1:
        raise ConfigError(f"--jobs is {jobs}; it must be at least 1")
    if min(seeds) < 0:
        raise ConfigError(f"seed {min(seeds)} is negative; seeds are 0 or more")
    for arm in arms:
        learner, plus, acquisition = arm.partition("+")
        if not plus:
            METHODS.get(arm)
        elif not (learner and acquisition):
            raise ConfigError(f"arm {arm!r} is no LEARNER+ACQUISITION; give both parts")
    for given_flag in train_flags:
        name = given_flag.partition("=")[0]
        # argparse takes abbreviations: --see is --seed.
        meant = [flag for flag in _SET_BY_ARMS if len(name) > 3 and flag.startswith(name)]
        if meant:
            raise ConfigError(f"{name} after -- is set by the experiment itself; leave it out")
    return [Task(arm, seed, out / arm / f"seed_{seed}") for seed in seeds for arm in arms]


def _claim(out: Path, train_flags: Sequence[str]) -> None:
    """Note the shared flags in a new experiment; refuse one begun with others."""
    path = out / "protocol.json"
    flags = list(train_flags)
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["train_flags"]
    except FileNotFoundError:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(f"cannot make {out}: {error.strerror or error}") from None
        durable.atomic_write_text(path, json.dumps({"train_flags": flags}, indent=1) + "\n")
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"cannot read {path}: {error!r}; delete it if it is lost") from None
    if before != flags:
        raise RunFolderError(
            f"{out} was begun with the training flags '{' '.join(map(str, before))}', not "
            f"'{' '.join(flags)}'; give those again or choose another folder"
        )


def _share_of_threads(jobs: int) -> dict[str, str]:
    """Thread settings with which ``jobs`` processes share the cores instead of fighting for them.

    What is set in the environment already wins.
    """
    if jobs == 1:
        return {}
    share = str(max(1, len(os.sched_getaffinity(0)) // jobs))
    return {"TF_NUM_INTRAOP_THREADS": share, "OMP_NUM_THREADS": share}


def _last_line(log: Path) -> str:
    """The last line of a log that says something; of a progress bar, what it showed last."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else ""
