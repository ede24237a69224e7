"""Rows of a pool in blocks of one size, so that rounding in them depends on no cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from bgadl_tf.core.types import Floats


def blocks_of(parts: Iterable[Floats], size: int) -> Iterator[Floats]:
    """The same rows, so many at a time, however they were cut; the last rows may be fewer."""
    waiting: list[Floats] = []
    for part in parts:
        waiting.append(part)
        while sum(map(len, waiting)) >= size:
            together = np.concatenate(waiting)
            yield together[:size]
            waiting = [together[size:]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)


def padded(rows: Floats, size: int) -> Floats:
    """Rows, and zeros, ``[size, …]``."""
    return np.pad(rows, ((0, size - len(rows)), *((0, 0) for _ in rows.shape[1:])))
