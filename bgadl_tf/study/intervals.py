"""The mean of n runs and how sure it is: ``mean ± t(n - 1) sd / sqrt(n)``, or a bootstrap.

Runs are the units: rounds of one run are not independent. What needs two runs is NaN with fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bgadl_tf.study.learning_curve import Curve, at

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Mean of n runs, with a confidence interval for it.

    Attributes:
        mean: Their mean; NaN without runs.
        sd: Standard deviation of one run (n - 1); NaN with fewer than two.
        low: Lower end; NaN with fewer than two runs.
        high: Upper end; likewise.
        n: Runs.
    """

    mean: float
    sd: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """The mean of several runs at every labelled count that any of them reached.

    Attributes:
        labelled: Labels used, increasing, ``[R]``.
        intervals: One a count, over the runs that reached exactly this count.
    """

    labelled: Vector
    intervals: tuple[Interval, ...]


def interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of ``values`` ``[n]`` with Student's interval."""
    runs = vector(values)
    n = len(runs)
    mean = float(runs.mean()) if n else np.nan
    if n < 2:
        return Interval(mean, np.nan, np.nan, np.nan, n)
    sd = float(runs.std(ddof=1))
    half = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * sd / np.sqrt(n)
    return Interval(mean, sd, mean - half, mean + half, n)


def mean_curve(curves: Sequence[Curve], confidence: float = 0.95) -> MeanCurve:
    """Mean accuracy at every labelled count.

    Raises:
        ValueError: There is no curve.
    """
    if not curves:
        raise ValueError("the mean of no curves is not defined; give at least one")
    labelled = np.unique(np.concatenate([curve.labelled for curve in curves]))
    values = [[at(curve, count) for curve in curves] for count in labelled]
    return MeanCurve(
        labelled,
        tuple(interval([v for v in row if np.isfinite(v)], confidence) for row in values),
    )


def bootstrap_interval(
    values: ArrayLike,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values`` ``[n]``; NaN with fewer than two."""
    runs = vector(values)
    if len(runs) < 2:
        return float("nan"), float("nan")
    means = runs[rng.integers(len(runs), size=(resamples, len(runs)))].mean(axis=1)
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def vector(values: ArrayLike) -> Vector:
    """``values`` as a float64 vector ``[n]``."""
    return np.asarray(values, dtype=np.float64).reshape(-1)
