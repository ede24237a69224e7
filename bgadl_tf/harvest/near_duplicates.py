"""Images that show what another one shows already, by the distance of their features.

Distances are measured in that which is usual in the pool from an image to its nearest neighbour, so
that they mean the same whatever the network and however far it is trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bgadl_tf.core.types import Floats, Id

SAMPLE = 1000
"""Images of the pool that tell what is usual."""


@dataclass(frozen=True)
class Near:
    """What an image is nearest to.

    Attributes:
        id: Of that; None where there is nothing.
        distance: To it, in usual distances.
    """

    id: Id | None
    distance: float


def usual_distance(features: Floats) -> float:
    """Median distance from a vector to the nearest other one that is not the same.

    Args:
        features: ``[n, F]``, a sample.

    Returns:
        1 where no two differ.
    """
    squares = _squares(features, features)
    squares[squares <= _noise(features)] = np.inf
    nearest = squares.min(1, initial=np.inf)
    found = nearest[np.isfinite(nearest)]
    return float(np.sqrt(np.median(found))) if len(found) else 1.0


def nearest_known(features: Floats, known: Iterable[tuple[Sequence[Id], Floats]]) -> list[Near]:
    """What each vector is nearest to; distances as they are.

    Args:
        features: ``[n, F]``.
        known: Ids and features ``[m, F]`` of what is known, chunk by chunk.
    """
    best = np.full(len(features), np.inf)
    ids: list[Id | None] = [None] * len(features)
    for names, chunk in known:
        squares = _squares(features, chunk)
        places = squares.argmin(1)
        found = squares[np.arange(len(features)), places]
        for row in np.flatnonzero(found < best):
            best[row], ids[row] = found[row], names[places[row]]
    return [Near(id_, float(np.sqrt(one))) for id_, one in zip(ids, best, strict=True)]


def distinct(
    ids: Sequence[Id], features: Floats, near: Sequence[Near], least: float, most: int | None
) -> list[Near | None]:
    """Which images to take, greedily in their order.

    Args:
        ids: ``[n]``, the best first.
        features: ``[n, F]``, in usual distances.
        near: What each is nearest to of what is known, in usual distances.
        least: Distance from which on two images differ.
        most: How many to take; None for all that differ.

    Returns:
        What each is a near-duplicate of, or None where it is taken; shorter where ``most`` are
        taken before the end.
    """
    taken: list[int] = []
    found: list[Near | None] = []
    for row in range(len(ids)):
        if len(taken) == most:
            break
        closest = near[row]
        if taken:
            squares = _squares(features[row : row + 1], features[taken])[0]
            place = int(squares.argmin())
            if (distance := float(np.sqrt(squares[place]))) < closest.distance:
                closest = Near(ids[taken[place]], distance)
        differs = closest.distance >= least
        found.append(None if differs else closest)
        if differs:
            taken.append(row)
    return found


def _squares(one: Floats, other: Floats) -> Floats:
    """Squared distances ``[n, m]``."""
    wide, others = one.astype(np.float64), other.astype(np.float64)
    squares = (wide**2).sum(1)[:, None] + (others**2).sum(1) - 2.0 * wide @ others.T
    found: Floats = np.maximum(squares, 0.0)
    return found


def _noise(features: Floats) -> float:
    """Squared distance that the same image may have from itself."""
    return 1e-9 * float((features.astype(np.float64) ** 2).sum(1).max(initial=0.0))
