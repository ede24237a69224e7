"""Runners without a graph, for queues."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import numpy as np

from bgadl_tf.serving.server.savedmodel import Array
from bgadl_tf.serving.server.status import Code, StatusError


class Doubler:
    """Doubles ``x``; refuses batches with a negative row.

    Attributes:
        batches: What has been run.
        most_at_once: Runs that overlapped.
        free: Runs wait for it.
        seconds: That a run takes.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[Array] = []
        self.timeouts: list[int] = []
        self.free = threading.Event()
        self.free.set()
        self.seconds = seconds
        self.running = self.most_at_once = 0
        self._lock = threading.Lock()

    def run(
        self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_ms: int = 0
    ) -> list[Array]:
        with self._lock:
            self.batches.append(feeds["x"])
            self.timeouts.append(timeout_ms)
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            assert self.free.wait(20)
            if self.seconds:
                time.sleep(self.seconds)
            if feeds["x"].dtype.kind == "f" and np.any(feeds["x"] < 0):
                raise StatusError(Code.INVALID_ARGUMENT, "negative row")
            return [feeds["x"] * 2 if name == "twice" else feeds["x"] for name in fetches]
        finally:
            with self._lock:
                self.running -= 1

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]
