"""Reading the next piece while the present one is worked on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def read_ahead(read: Callable[[A], B], pieces: Iterable[A]) -> Generator[B, None, None]:
    """Results of ``read`` over ``pieces``, in order, one piece ahead of whoever takes them.

    At most two results exist beside the one last taken from here. The thread ends with the
    generator, also where that is closed early.

    Args:
        read: Called in a thread of its own, for one piece after the other.
        pieces: What to read.

    Raises:
        Exception: Whatever ``read`` raised, when it is the turn of that piece.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        present: Future[B] | None = None
        for piece in pieces:
            following = thread.submit(read, piece)
            if present is not None:
                yield present.result()
            present = following
        if present is not None:
            yield present.result()
