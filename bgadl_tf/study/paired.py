"""Two arms by their differences ``d_s = a_s - b_s`` on shared seeds, hence initial sets.

What needs two seeds is NaN with fewer. Differences are shares in [0, 1] throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from bgadl_tf.study.intervals import bootstrap_interval, interval, vector

EXACT_UP_TO = 20
"""Differences up to which all 2^n sign flips are gone through."""

_ZERO = 1e-12  # spread of differences that differ by rounding alone


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

    def t_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval of the mean difference; NaN where ``testable`` is false.

        Its lower end above ``-margin`` is the one-sided test, at ``(1 - confidence) / 2``, that
        ours is not lower than theirs by ``margin`` (non-inferiority).
        """
        if not self.testable:
            return float("nan"), float("nan")
        half = float(stats.t.ppf(0.5 + confidence / 2, self.n - 1)) * self.sd / np.sqrt(self.n)
        return float(self.mean - half), float(self.mean + half)


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
    differences = vector([ours[seed] - theirs[seed] for seed in seeds])
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
    values = vector(differences)
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
    values = vector(differences)
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
