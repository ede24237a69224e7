"""Which vectors lie within a radius of which, and how many.

Products are made in float32, whose error is bounded; only pairs that it leaves in doubt are looked
at in float64, so that the answer is float64's.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.acquisition import kmeans
from bgadl_tf.acquisition.kmeans import Vectors, square_distances
from bgadl_tf.core.types import Floats, Rows

Counts = NDArray[np.int64]
"""int64: a count for each vector."""

Pairs = NDArray[np.bool_]
"""bool ``[M, L]``: which of some vectors are near to which of others."""

ROUNDING = 1e-12
"""Of squared distances, relative to the squares of both vectors: who is alike is at 0."""

FEW = 0.01
"""Share of the pairs of a block that may be in doubt; if more are, it is done in float64."""


def neighbours(features: Floats, of: Rows, among: Rows, radius: float) -> Counts:
    """How many of some vectors are within a radius of each of others, itself included.

    Args:
        features: ``[N, F]`` float32.
        of: Rows of those that are asked about, ``[m]``.
        among: Rows of those that are counted.
        radius: Inclusive.

    Returns:
        ``[m]``.
    """
    counts = np.zeros(len(of), np.int64)
    side = side_of(features)
    for start in range(0, len(of), side):
        rows = slice(start, start + side)
        block = features[of[rows]]
        for first in range(0, len(among), side):
            counts[rows] += by_row(near(block, features[among[first : first + side]], radius))
    return counts


def degrees(features: Floats, radius: float) -> Counts:
    """How many of all vectors ``[N, F]`` are within a radius of each, itself included, ``[N]``."""
    counts = np.zeros(len(features), np.int64)
    side = side_of(features)
    for start in range(0, len(features), side):
        rows = slice(start, start + side)
        counts[rows] += by_row(near(features[rows], features[rows], radius))
        for first in range(start + side, len(features), side):
            others = slice(first, first + side)
            found = near(features[rows], features[others], radius)
            counts[rows] += by_row(found)
            counts[others] += by_column(found)
    return counts


def near(some: Floats, others: Floats, radius: float) -> Pairs:
    """Which of some vectors ``[M, F]`` float32 are within a radius of which others ``[L, F]``."""
    halves = [np.square(one.astype(np.float64)).sum(axis=1) / 2 for one in (some, others)]
    size = float(halves[0].max(initial=0.0) + halves[1].max(initial=0.0))
    limits = np.finfo(np.float32)
    if not size < float(limits.max) / 4:
        return near_in_float64(some, others, radius)
    # -|a - b|^2 / 2 as one product: (a, -|a|^2 / 2, 1) (b, 1, -|b|^2 / 2).
    left = np.column_stack([some, -halves[0], np.ones(len(some))]).astype(np.float32)
    right = np.column_stack([others, np.ones(len(others)), -halves[1]]).astype(np.float32)
    products = left @ right.T
    # Of a sum of n products, n + 1 roundings of at most the lengths' product each (Higham 2002,
    # section 3.1); once more for the halves, which are rounded themselves.
    doubt = 2 * (some.shape[1] + 4) * float(limits.eps * size + limits.tiny)
    within = -0.5 * radius**2
    found: Pairs = products >= np.float32(within - doubt)
    surely = products >= np.float32(within + doubt)
    open_ = found != surely
    count = np.count_nonzero(open_)
    if not count:
        return found
    if count > FEW * open_.size:
        return near_in_float64(some, others, radius)
    rows, columns = np.nonzero(open_)
    most = max(1, kmeans.BLOCK_VALUES // max(1, some.shape[1]))
    for start in range(0, count, most):
        row, column = rows[start : start + most], columns[start : start + most]
        one, other = some[row].astype(np.float64), others[column].astype(np.float64)
        squares = np.square(one - other).sum(axis=1)
        slack = 2 * ROUNDING * (halves[0][row] + halves[1][column])
        found[row, column] = squares <= radius**2 + slack
    return found


def near_in_float64(some: Floats, others: Floats, radius: float) -> Pairs:
    """The same, from distances in float64."""
    one, other = some.astype(np.float64), others.astype(np.float64)
    squares = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1)
    found: Pairs = square_distances(one, other) <= radius**2 + ROUNDING * squares
    return found


def by_row(pairs: Pairs) -> Counts:
    """How many of each row are true."""
    return np.array([np.count_nonzero(row) for row in pairs], np.int64)


def by_column(pairs: Pairs) -> Counts:
    """How many of each column are true."""
    counts = np.zeros(pairs.shape[1], np.int64)
    # Sums of bytes are fast, and those of 255 do not overflow.
    for start in range(0, len(pairs), 255):
        counts += pairs[start : start + 255].view(np.uint8).sum(axis=0, dtype=np.uint8)
    return counts


def side_of(features: Vectors | Floats) -> int:
    """Vectors of a block, of which and of whose distances to as many others are few values."""
    values = kmeans.BLOCK_VALUES
    return max(1, min(math.isqrt(values), values // max(1, int(features.shape[1]))))
