"""Merging requests: callers that wait for the same thing get it in one run.

There are no threads of its own. Tasks that can be merged wait in one queue; the first of them leads
and takes as many as fit, its own before all, as soon as one more batch may run. The others sleep
until a leader has run their task, or has left them at the head of the queue, to lead in turn. So a
single caller pays nothing, and the busier the server is, the larger its batches.

Nobody is forgotten, since always, under one lock, a queue's first task and no other leads, a queue
without tasks is none, and whoever takes a batch finishes every task in it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bgadl_tf.serving.server.configuration import Batching
from bgadl_tf.serving.server.savedmodel import Array, Runner
from bgadl_tf.serving.server.status import (
    Code,
    StatusError,
    from_exception,
    invalid_argument,
)

_Key = tuple[tuple[tuple[str, str, tuple[int, ...]], ...], tuple[str, ...]]
_FINAL = {Code.CANCELLED, Code.DEADLINE_EXCEEDED}
"""Failures of a batch that its tasks need not try again alone."""


class _Task:
    """One caller's request, and what became of it."""

    def __init__(self, feeds: Mapping[str, Array], rows: int, timeout_ms: int) -> None:
        self.feeds, self.rows, self.timeout_ms = feeds, rows, timeout_ms
        self.entered = time.monotonic()
        self.deadline = self.entered + timeout_ms / 1000 if timeout_ms else float("inf")
        self.woken = threading.Event()
        self.leads = False
        self.result: list[Array] | StatusError | None = None

    def lead(self) -> None:
        self.leads = True
        self.woken.set()

    def finish(self, result: list[Array] | StatusError) -> None:
        self.result = result
        self.woken.set()


class _Queue:
    """Tasks that can be merged, and their rows."""

    def __init__(self) -> None:
        self.tasks: deque[_Task] = deque()
        self.rows = 0


class BatchingRunner:
    """A queue in front of a runner.

    Args:
        runner: Runs the batches.
        batching: How to merge.
        on_batch: Told the rows of every batch run.
    """

    def __init__(
        self, runner: Runner, batching: Batching, on_batch: Callable[[int], None] = lambda _: None
    ) -> None:
        self._runner, self._batching, self._on_batch = runner, batching, on_batch
        self._queues: dict[_Key, _Queue] = {}
        self._running = 0
        self._changed = threading.Condition()  # guards queues; leaders wait for it

    def run(
        self, feeds: Mapping[str, Array], fetches: Sequence[str], timeout_ms: int = 0
    ) -> list[Array]:
        rows, most = _rows(feeds), self._batching.max_batch_size
        if rows > most and not self._batching.enable_large_batch_splitting:
            raise invalid_argument(
                f"Task size {rows} is larger than maximum input batch size {most}"
            )
        if rows > most or not rows:
            outputs = self._runner.run(feeds, fetches, timeout_ms)
            _check_outputs(outputs, rows)
            return outputs
        key, task = _key(feeds, fetches), _Task(feeds, rows, timeout_ms)
        self._enter(key, task)
        if not task.woken.wait(timeout_ms / 1000 if timeout_ms else None):
            self._leave(key, task)
            task.woken.wait()
        if task.leads:
            self._run(self._take(key, task), fetches)
        if isinstance(task.result, StatusError):
            raise task.result
        assert task.result is not None
        return task.result

    def _enter(self, key: _Key, task: _Task) -> None:
        most = self._batching.max_batch_size
        with self._changed:
            waiting = self._queues[key].rows if key in self._queues else 0
            if waiting + task.rows > self._batching.max_enqueued_batches * most:
                raise StatusError(
                    Code.UNAVAILABLE,
                    "The batch scheduling queue to which this task was submitted is full",
                )
            queue = self._queues.setdefault(key, _Queue())
            queue.tasks.append(task)
            queue.rows += task.rows
            if len(queue.tasks) == 1:
                task.lead()
            elif queue.rows >= most:
                self._changed.notify_all()

    def _leave(self, key: _Key, task: _Task) -> None:
        """Give up, unless the task is in a batch already or now leads one.

        Raises:
            StatusError: It has given up.
        """
        with self._changed:
            queue = self._queues.get(key)
            if queue is not None and task in queue.tasks and not task.leads:
                queue.tasks.remove(task)
                queue.rows -= task.rows
                raise _timed_out()

    def _take(self, key: _Key, leader: _Task) -> list[_Task]:
        """The leader's own task, which is the first, and as many more as fit.

        Raises:
            StatusError: Its time was up before a batch could run.
        """
        most = self._batching.max_batch_size
        full_or_at = leader.entered + self._batching.batch_timeout_micros / 1e6
        with self._changed:
            queue = self._queues[key]
            while (now := time.monotonic()) < leader.deadline:
                filling = queue.rows < most and now < full_or_at
                if not filling and self._running < self._batching.num_batch_threads:
                    break
                until = min(leader.deadline, full_or_at if filling else float("inf"))
                self._changed.wait(min(until - now, threading.TIMEOUT_MAX))
            batch, rows = [queue.tasks.popleft()], leader.rows
            in_time = now < leader.deadline
            while in_time and queue.tasks and rows + queue.tasks[0].rows <= most:
                batch.append(queue.tasks.popleft())
                rows += batch[-1].rows
            queue.rows -= rows
            if queue.tasks:
                queue.tasks[0].lead()
            else:
                del self._queues[key]
            if not in_time:
                raise _timed_out()
            self._running += 1
        return batch

    def _run(self, batch: list[_Task], fetches: Sequence[str]) -> None:
        try:
            self._answer(batch, fetches)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
            for task in batch:
                if task.result is None:
                    task.finish(StatusError(Code.INTERNAL, "the batch was not run"))

    def _answer(self, batch: list[_Task], fetches: Sequence[str]) -> None:
        try:
            results = self._merged(batch, fetches)
        except Exception as error:
            failure = from_exception(error)
            for task in batch:
                if len(batch) == 1 or failure.code in _FINAL:
                    task.finish(failure)
                else:
                    # One caller's bad input must not fail the others'.
                    self._answer([task], fetches)
            return
        for task, result in zip(batch, results, strict=True):
            task.finish(result)

    def _merged(self, batch: list[_Task], fetches: Sequence[str]) -> list[list[Array]]:
        rows = sum(task.rows for task in batch)
        padded = next((size for size in self._batching.allowed_batch_sizes if size >= rows), rows)
        feeds = {}
        for name, first in batch[0].feeds.items():
            parts = [task.feeds[name] for task in batch]
            if padded > rows:
                parts.append(np.repeat(first[:1], padded - rows, axis=0))
            feeds[name] = np.concatenate(parts) if len(parts) > 1 else first
        timeouts = [task.timeout_ms for task in batch]
        outputs = self._runner.run(feeds, fetches, max(timeouts) if all(timeouts) else 0)
        self._on_batch(padded)
        _check_outputs(outputs, padded)
        ends = np.cumsum([task.rows for task in batch])
        return [
            [output[end - task.rows : end] for output in outputs]
            for task, end in zip(batch, ends, strict=True)
        ]


def _key(feeds: Mapping[str, Array], fetches: Sequence[str]) -> _Key:
    kinds = ((name, feeds[name].dtype.str, feeds[name].shape[1:]) for name in sorted(feeds))
    return tuple(kinds), tuple(fetches)


def _rows(feeds: Mapping[str, Array]) -> int:
    if any(not value.ndim for value in feeds.values()):
        raise invalid_argument("Batching Run() input tensors must have at least one dimension")
    counts = {len(value) for value in feeds.values()}
    if not counts:
        raise invalid_argument("Batching session Run() must have at least one input tensor")
    if len(counts) > 1:
        raise invalid_argument("Batching Run() input tensors must have equal 0th-dimension size")
    return counts.pop()


def _check_outputs(outputs: Sequence[Array], rows: int) -> None:
    for output in outputs:
        if not output.ndim:
            raise StatusError(Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")
        if len(output) != rows:
            raise StatusError(
                Code.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                "dimension sizes of the input tensors",
            )


def _timed_out() -> StatusError:
    return StatusError(Code.DEADLINE_EXCEEDED, "timed out waiting for a batch")
