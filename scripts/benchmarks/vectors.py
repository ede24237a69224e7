"""Vectors to measure with: scikit-learn's digits, projected at random, tiled with noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from bgadl_tf.core.types import Floats, Labels

PIECE = 100_000
"""Vectors that are written at a time."""


def digits(width: int) -> tuple[Floats, Labels]:
    """Random projections of real digits, float32 ``[1797, width]``, and their labels."""
    found = load_digits()
    projection = np.random.default_rng(0).normal(size=(64, width)) / 50.0
    return (found.data @ projection).astype(np.float32), found.target.astype(np.int32)


def labels_of(count: int, width: int) -> Labels:
    """Those of as many vectors as ``mapped`` writes."""
    _, labels = digits(width)
    return labels[np.arange(count) % len(labels)]


def mapped(path: Path, count: int, width: int) -> Floats:
    """As many vectors as are wanted, each with noise of its own, in a memory-mapped file."""
    vectors, _ = digits(width)
    file = np.lib.format.open_memmap(path, "w+", np.float32, (count, width))
    rng = np.random.default_rng(1)
    for start in range(0, count, PIECE):
        rows = np.arange(start, min(start + PIECE, count))
        drawn = rng.standard_normal((len(rows), width), np.float32)
        file[rows] = vectors[rows % len(vectors)] + 0.1 * drawn
    file.flush()
    return np.load(path, mmap_mode="r")
