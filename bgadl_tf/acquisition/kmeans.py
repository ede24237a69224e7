"""k-means: groups of vectors, each vector in the group of the nearest centre.

Lloyd, "Least squares quantization in PCM" (1982), from the seeding of Arthur and Vassilvitskii,
"k-means++: The Advantages of Careful Seeding" (2007). Sums are made in one fixed order, so the same
vectors give the same groups bit for bit, on however many threads.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.types import Floats

Vectors = NDArray[np.float64]
"""float64 ``[M, F]``."""

Groups = NDArray[np.int64]
"""int64 ``[N]``: a group for each vector."""

SAMPLE, SAMPLE_VALUES = 50_000, 2**27
"""Vectors, and their components in all, from which centres are found; of more, so many are drawn.
"""

SEEDING = 32
"""Vectors for each centre among which the first centres are drawn."""

ITERATIONS = 30
"""At most; most groups are settled long before."""

BLOCK_VALUES = 2**22
"""Components, or distances, that are in memory at a time."""


def k_means(features: Floats, count: int, rng: np.random.Generator) -> Groups:
    """A group 0 .. ``count`` - 1 for each vector; some may be empty.

    Memory: the sample and blocks of a fixed size. Time: O((N + 30 SAMPLE) count F).

    Args:
        features: ``[N, F]``, perhaps in a file.
        count: Groups at most: vectors that are all alike make a single one.
        rng: Draws the sample and the first centres.
    """
    most = max(count, min(SAMPLE, SAMPLE_VALUES // max(1, features.shape[1])))
    sample = _drawn(features, most, rng)
    centres = _seeds(_drawn(sample, SEEDING * count, rng), count, rng)
    groups = _nearest(sample, centres)
    for _ in range(ITERATIONS):
        centres = _means(sample, groups, centres)
        before, groups = groups, _nearest(sample, centres)
        if (groups == before).all():
            break
    return groups if sample is features else _nearest(features, centres)


def blocks(features: Floats, width: int) -> Iterator[tuple[slice, Vectors]]:
    """Rows of vectors in float64, so many at a time that ``width`` values of each are few."""
    for rows in spans(len(features), max(width, features.shape[1])):
        yield rows, features[rows].astype(np.float64)


def spans(count: int, width: int) -> Iterator[slice]:
    """Parts of a long list of which so many values of an item are in memory at a time."""
    size = max(1, BLOCK_VALUES // max(1, width))
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def square_distances(some: Vectors, others: Vectors) -> Vectors:
    """Squared euclidean distances ``[M, L]`` of vectors ``[M, F]`` and ``[L, F]``."""
    squares = np.square(some).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    found: Vectors = np.maximum(squares - 2.0 * (some @ others.T), 0.0)
    return found


def _drawn(features: Floats, most: int, rng: np.random.Generator) -> Floats:
    """Vectors in their order, without those that are too many."""
    if len(features) <= most:
        return features
    return features[np.sort(rng.choice(len(features), most, replace=False))]


def _seeds(sample: Floats, count: int, rng: np.random.Generator) -> Vectors:
    """First centres: the next is drawn in proportion to its squared distance to the nearest."""
    rows = [int(rng.integers(len(sample)))]
    squares = np.full(len(sample), np.inf)
    while len(rows) < count:
        newest = sample[rows[-1] :][:1].astype(np.float64)
        for part, block in blocks(sample, 1):
            # Differences, for the same vector must be exactly at 0 and never be drawn again.
            found = np.square(block - newest).sum(axis=1)
            squares[part] = np.minimum(squares[part], found)
        if not (total := squares.sum()) > 0:
            break
        cumulated = np.cumsum(squares)
        drawn = np.searchsorted(cumulated, rng.uniform() * min(total, cumulated[-1]), "right")
        rows.append(int(min(drawn, np.flatnonzero(squares)[-1])))
    return sample[rows].astype(np.float64)


def _nearest(features: Floats, centres: Vectors) -> Groups:
    groups = np.empty(len(features), np.int64)
    for rows, block in blocks(features, len(centres)):
        groups[rows] = square_distances(block, centres).argmin(axis=1)
    return groups


def _means(features: Floats, groups: Groups, centres: Vectors) -> Vectors:
    """Means of the groups; an empty one keeps its centre."""
    sums = np.zeros_like(centres)
    for rows, block in blocks(features, 1):
        order = np.argsort(groups[rows], kind="stable")
        own = groups[rows][order]
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        sums[own[starts]] += np.add.reduceat(block[order], starts, axis=0)
    counts = np.bincount(groups, minlength=len(centres))[:, None]
    means: Vectors = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    return means
