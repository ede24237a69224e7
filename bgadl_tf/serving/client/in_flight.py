"""A few calls at a time, over a stream that need not fit into memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def map_in_flight(function: Callable[[A], B], items: Iterable[A], threads: int) -> Iterator[B]:
    """Results of ``function`` over ``items``, as they come and not in order.

    The stream is read one item ahead of the calls. Close the generator to stop early; calls
    under way are left to end by themselves, so that an interruption need not wait for a server.

    Args:
        function: Called in threads.
        items: Read in the thread of the caller.
        threads: Calls at a time.

    Raises:
        Exception: Whatever ``function`` raised first.
    """
    requests: queue.SimpleQueue[A | None] = queue.SimpleQueue()
    results: queue.SimpleQueue[B | BaseException] = queue.SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        while (item := requests.get()) is not None and not stopped.is_set():
            try:
                results.put(function(item))
            except BaseException as error:
                stopped.set()
                results.put(error)

    def next_result() -> B:
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        return result

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    waiting = 0
    try:
        for item in items:
            requests.put(item)
            waiting += 1
            if waiting > threads:
                yield next_result()
                waiting -= 1
        while waiting:
            yield next_result()
            waiting -= 1
    finally:
        stopped.set()
        for _ in workers:
            requests.put(None)
