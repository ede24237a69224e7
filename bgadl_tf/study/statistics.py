"""What can be said about runs, which are the units: rounds of one run are not independent.

Intervals over n runs are Student's, ``mean ± t(n - 1) sd / sqrt(n)``; arms are compared by
their differences ``d_s = a_s - b_s`` on shared seeds, hence on shared initial sets. What needs
two runs is NaN with fewer. Accuracies and differences are shares in [0, 1] throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bgadl_tf.study.runs import Curve

Vector = NDArray[np.float64]

EXACT_UP_TO = 20
"""Differences up to which all 2^n sign flips are gone through."""

_ZERO = 1e-12  # spread of differences that differ by rounding alone


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


@dataclass(frozen=True)
class Comparison:
    """Differences of two arms on the seeds they share.

    Attributes:
        n: Shared seeds.
        mean: Mean difference; NaN without shared seeds.
        sd: Standard deviation of a difference.
        low: Lower end of the bootstrap interval of the mean.
        high: Upper end.
        t: Statistic of the paired t-test. NaN with fewer than two shared seeds, and where
            all differences are the same but not zero: two runs that happen to agree say
            nothing about the spread.
        p_t: Its two-sided p.
        p_sign_flip: Two-sided p of the sign-flip permutation test; never below ``2^(1 - n)``.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    t: float
    p_t: float
    p_sign_flip: float

    @property
    def testable(self) -> bool:
        """Whether the t-test has a p."""
        return bool(np.isfinite(self.p_t))


def interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of ``values`` ``[n]`` with Student's interval."""
    runs = _vector(values)
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


def at(curve: Curve, labelled: float) -> float:
    """Accuracy at exactly this labelled count; NaN where the curve has no point there."""
    found = np.flatnonzero(curve.labelled == labelled)
    return float(curve.accuracy[found[0]]) if len(found) else np.nan


def aubc(curve: Curve) -> float:
    """Area under the budget curve, by trapezoids, as a mean accuracy over the label range.

    NaN for a curve of one point.
    """
    width = curve.labelled[-1] - curve.labelled[0]
    if width == 0:
        return float("nan")
    return float(np.trapezoid(curve.accuracy, curve.labelled) / width)


def labels_to_reach(curve: Curve, accuracy: float) -> float:
    """Labels at which the curve first reaches ``accuracy``, between rounds by straight lines.

    Returns:
        The first labelled count if it is reached there already; NaN if it never is.
    """
    reached = np.flatnonzero(curve.accuracy >= accuracy)
    if not len(reached):
        return float("nan")
    right = int(reached[0])
    if right == 0:
        return float(curve.labelled[0])
    x0, x1 = curve.labelled[right - 1 : right + 1]
    y0, y1 = curve.accuracy[right - 1 : right + 1]
    return float(x0 + (accuracy - y0) / (y1 - y0) * (x1 - x0))


def label_saving(curve: Curve, reference: Curve, accuracy: float) -> float:
    """Share of the reference's labels that ``curve`` does without on its way to ``accuracy``.

    Returns:
        ``1 - labels / labels of the reference``, negative if it needs more; NaN if either
        never reaches ``accuracy``.
    """
    return 1.0 - labels_to_reach(curve, accuracy) / labels_to_reach(reference, accuracy)


def compare(
    ours: Mapping[int, float],
    theirs: Mapping[int, float],
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Comparison:
    """Paired comparison ``ours - theirs`` on the seeds both have a finite value for.

    Args:
        ours: Value by seed.
        theirs: Value by seed.
        rng: Draws the bootstrap's resamples.
        confidence: Of the bootstrap interval.
        resamples: Of the bootstrap.
    """
    seeds = sorted(ours.keys() & theirs.keys())
    differences = _vector([ours[seed] - theirs[seed] for seed in seeds])
    differences = differences[np.isfinite(differences)]
    overall = interval(differences)
    if overall.n < 2:
        return Comparison(overall.n, overall.mean, *(np.nan,) * 6)
    low, high = bootstrap_interval(differences, rng, confidence, resamples)
    t, p = paired_t(differences)
    p_flip = sign_flip_p(differences, rng)
    return Comparison(overall.n, overall.mean, overall.sd, low, high, t, p, p_flip)


def paired_t(differences: ArrayLike) -> tuple[float, float]:
    """Paired t-test that the mean of ``differences`` ``[n]`` is zero.

    Returns:
        t and its two-sided p. All zero is (0, 1); NaN as ``Comparison`` says.
    """
    values = _vector(differences)
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    if sd <= _ZERO:
        return (0.0, 1.0) if abs(mean) <= _ZERO else (float("nan"), float("nan"))
    t = mean / (sd / np.sqrt(n))
    return float(t), float(2.0 * stats.t.sf(abs(t), n - 1))


def sign_flip_p(
    differences: ArrayLike, rng: np.random.Generator | None = None, resamples: int = 100_000
) -> float:
    """Two-sided sign-flip permutation test that ``differences`` ``[n]`` are symmetric about zero.

    Exact: the share of all ``2^n`` assignments of signs whose sum is at least as far from
    zero. Beyond ``EXACT_UP_TO`` differences the assignments are drawn.

    Args:
        differences: ``[n]``.
        rng: Draws assignments; needed only beyond ``EXACT_UP_TO``.
        resamples: Assignments drawn then.

    Raises:
        ValueError: ``rng`` is needed.
    """
    values = _vector(differences)
    n = len(values)
    if n < 2:
        return float("nan")
    least = abs(float(values.sum())) - _ZERO
    if n <= EXACT_UP_TO:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums - value, sums + value])
        return float(np.mean(np.abs(sums) >= least))
    if rng is None:
        raise ValueError(f"{n} differences have too many sign flips to go through; give rng")
    as_far = sum(
        abs(float(values @ rng.choice((-1.0, 1.0), size=n))) >= least for _ in range(resamples)
    )
    return (1 + as_far) / (1 + resamples)


def bootstrap_interval(
    values: ArrayLike,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values`` ``[n]``; NaN with fewer than two."""
    runs = _vector(values)
    if len(runs) < 2:
        return float("nan"), float("nan")
    means = runs[rng.integers(len(runs), size=(resamples, len(runs)))].mean(axis=1)
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p of a family of tests, which bounds the family-wise error.

    ``adjusted_(i) = max_(j <= i) min(1, (m - j + 1) p_(j))`` over the sorted p. A test without
    a p (NaN) does not count to the family and stays NaN.
    """
    raw = _vector(p_values)
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
        values = _vector([at(ours[seed], count) - at(theirs[seed], count) for seed in seeds])
        values = values[np.isfinite(values)]
        if len(values) < 2:
            continue
        t, p = paired_t(values)
        won.append(bool(p < 1.0 - confidence and t > 0))
    return float(np.mean(won)) if won else float("nan")


def _vector(values: ArrayLike) -> Vector:
    return np.asarray(values, dtype=np.float64).reshape(-1)
