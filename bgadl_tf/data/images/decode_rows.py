"""Decoding many images on all cores, and finding those that cannot be decoded."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bgadl_tf.core.types import Images, ImageShape, Rows

PART = 250
"""Images that one call decodes: enough for the call to cost nothing, few enough to share out."""


def decode_rows(
    decode: Callable[[Rows], Images], rows: Rows, shape: ImageShape
) -> tuple[Images, dict[int, Exception]]:
    """Decodes rows, a part a thread.

    Args:
        decode: Reads and decodes some rows, without holding Python's lock for long.
        rows: ``[N]``.
        shape: Of every image.

    Returns:
        uint8 [N, H, W, D], and what went wrong with which rows; their images are undefined.
    """
    images = np.empty((len(rows), *shape), np.uint8)
    bad: dict[int, Exception] = {}

    def fill(start: int, size: int) -> None:
        part = slice(start, start + size)
        try:
            images[part] = decode(rows[part])
        except Exception as error:  # decoders fail in many ways, and all mean one thing
            if len(rows[part]) == 1:
                bad[int(rows[start])] = error
                return
            for alone in range(start, start + len(rows[part])):
                fill(alone, 1)

    starts = range(0, len(rows), PART)
    threads = min(len(starts), len(os.sched_getaffinity(0)))
    if threads < 2:
        for start in starts:
            fill(start, PART)
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
            list(pool.map(lambda start: fill(start, PART), starts))
    return images, dict(sorted(bad.items()))
