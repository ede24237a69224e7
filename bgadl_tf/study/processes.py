"""Child processes that share the cores, and that end when their parent is told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_SECONDS_TO_STOP = 20.0


class Processes:
    """Child processes that end with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = threading.Event()

    def call(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
        """Run a command to its end with its output appended to ``log``; its exit status."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            with self._lock:
                if self._stopping.is_set():
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

    def stopping_within(self, seconds: float) -> bool:
        """Wait; whether ``stop`` has been called by then."""
        return self._stopping.wait(seconds)

    def stop(self) -> None:
        """Interrupt every process, and end those that do not heed it."""
        with self._lock:
            self._stopping.set()
            running = list(self._running)
        for process in running:
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def share_of_threads(jobs: int) -> dict[str, str]:
    """Thread settings with which ``jobs`` processes share the cores instead of fighting for them.

    What is set in the environment already wins.
    """
    if jobs == 1:
        return {}
    share = str(max(1, len(os.sched_getaffinity(0)) // jobs))
    return {"TF_NUM_INTRAOP_THREADS": share, "OMP_NUM_THREADS": share}


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """A job manager's SIGTERM ends the work inside just as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
