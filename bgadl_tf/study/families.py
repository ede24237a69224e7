"""Many comparisons at once: Holm's correction, and the penalties of every pair of arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.study.intervals import vector
from bgadl_tf.study.learning_curve import Curve, at
from bgadl_tf.study.paired import paired_t


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p of a family of tests, which bounds the family-wise error.

    ``adjusted_(i) = max_(j <= i) min(1, (m - j + 1) p_(j))`` over the sorted p. A test without
    a p (NaN) does not count to the family and stays NaN.
    """
    raw = vector(p_values)
    adjusted = np.full(len(raw), np.nan)
    tested = np.flatnonzero(np.isfinite(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(raw[order] * factors))
    return [float(p) for p in adjusted]


def penalty_matrix(
    arms: Mapping[str, Mapping[int, Curve]], confidence: float = 0.95
) -> NDArray[np.float64]:
    """Pairwise penalties of Ash et al. (BADGE, 2020).

    Entry ``[i, j]`` is the share of labelled counts at which arm i is better than arm j by a
    two-sided paired t-test on shared seeds. The mean of a column is what its arm is beaten
    by: smaller is better.

    Args:
        arms: Curve by seed, by arm.
        confidence: Of each test; there is no correction, as in the paper.

    Returns:
        ``[A, A]``, zeros on the diagonal; NaN where two arms share fewer than two seeds at
        every labelled count.
    """
    names = list(arms)
    matrix = np.zeros((len(names), len(names)))
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            if i != j:
                matrix[i, j] = _share_won(arms[one], arms[other], confidence)
    return matrix


def _share_won(ours: Mapping[int, Curve], theirs: Mapping[int, Curve], confidence: float) -> float:
    seeds = sorted(ours.keys() & theirs.keys())
    counts = sorted({float(c) for seed in seeds for c in ours[seed].labelled})
    won = []
    for count in counts:
        values = vector([at(ours[seed], count) - at(theirs[seed], count) for seed in seeds])
        values = values[np.isfinite(values)]
        if len(values) < 2:
            continue
        t, p = paired_t(values)
        won.append(bool(p < 1.0 - confidence and t > 0))
    return float(np.mean(won)) if won else float("nan")
