"""The statistics on data whose answer is known: drawn many times over, all at once."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from bgadl_tf.study import families, intervals, paired
from bgadl_tf.study.findings import Finding
from bgadl_tf.study.paired import Comparison
from tests.support.repository import REPOSITORY

TIMES = 10_000
Array = NDArray[np.float64]


def t_intervals(samples: Array) -> tuple[Array, Array]:
    """``intervals.interval`` of every row ``[T, n]``, in one go."""
    n = samples.shape[1]
    half = stats.t.ppf(0.975, n - 1) * samples.std(axis=1, ddof=1) / np.sqrt(n)
    return samples.mean(axis=1) - half, samples.mean(axis=1) + half


def bootstrap_intervals(samples: Array) -> tuple[Array, Array]:
    """The percentile interval of every row ``[T, n]`` over all ``n^n`` resamples, none drawn."""
    n = samples.shape[1]
    picks = [*itertools.combinations_with_replacement(range(n), n)]
    counts = np.array([np.bincount(pick, minlength=n) for pick in picks])
    chances = np.array(
        [math.factorial(n) / math.prod(math.factorial(c) for c in row) for row in counts]
    )
    means = samples @ counts.T / n
    order = np.argsort(means, axis=1)
    reached = np.cumsum(chances[order], axis=1) / chances.sum()
    ordered = np.take_along_axis(means, order, axis=1)
    low, high = (
        np.take_along_axis(ordered, (reached >= share).argmax(axis=1)[:, None], axis=1)[:, 0]
        for share in (0.025, 0.975)
    )
    return low, high


def covered(low: Array, high: Array, truth: float) -> float:
    return float(np.mean((low <= truth) & (truth <= high)))


def test_t_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    for n in (3, 5, 12):
        samples = rng.normal(0.75, 0.02, (TIMES, n))
        low, high = t_intervals(samples)
        assert covered(low, high, 0.75) == pytest.approx(0.95, abs=0.01)
        for place in range(20):  # and this is what reports show
            found = intervals.interval(samples[place])
            assert (found.low, found.high) == pytest.approx((low[place], high[place]))


def test_the_bootstrap_covers_less_than_it_says_and_the_documentation_tells() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0.0, 1.0, (TIMES, 5))
    low, high = bootstrap_intervals(samples)
    for place in range(5):  # what reports show is this, but for drawing
        found = intervals.bootstrap_interval(samples[place], rng)
        assert found == pytest.approx((low[place], high[place]), abs=0.05)
    text = (REPOSITORY / "bgadl_tf/study/README.md").read_text()
    (told,) = re.findall(r"covers (\d+) % of the time at 5 seeds", text)
    assert round(100 * covered(low, high, 0.0)) == int(told)


def test_a_planted_difference_is_found_and_a_planted_tie_is_not() -> None:
    # Seeds differ by 2 points and methods by 1 point from one seed to the next; 8 seeds.
    rng = np.random.default_rng(0)
    seeds = rng.normal(0.7, 0.02, 8)
    runs = {
        "tie": seeds + rng.normal(0.0, 0.01, 8),
        "better": seeds + 0.04 + rng.normal(0.0, 0.01, 8),
        "random": seeds + rng.normal(0.0, 0.01, 8),
    }
    found = [
        paired.compare(dict(enumerate(runs[arm])), dict(enumerate(runs["random"])), rng)
        for arm in ("tie", "better")
    ]
    tie, better = families.holm([one.p_t for one in found])
    assert tie > 0.05 > better
    assert found[1].mean == pytest.approx(0.04, abs=0.01)


def test_holm_finds_something_where_there_is_nothing_in_one_family_in_twenty() -> None:
    rng = np.random.default_rng(0)
    families_of_ten = stats.ttest_1samp(rng.normal(size=(2000, 10, 5)), 0.0, axis=2).pvalue
    wrong = [min(families.holm(row)) < 0.05 for row in families_of_ten]
    assert np.mean(wrong) == pytest.approx(0.05, abs=0.015)
    assert np.mean(families_of_ten.min(axis=1) < 0.05) > 0.35  # without a correction


def finding(mean: float, sd: float, n: int, margin: float) -> Finding:
    result = Comparison(n, mean, sd, math.nan, math.nan, 0.0, 0.5, 0.5)
    return Finding("study", "ours", "theirs", n, result, margin)


@pytest.mark.parametrize(
    ("mean", "shown"),
    # sd 0.4 points, 4 seeds: t(3, .975) = 3.18245, half width 0.63649 points. The lower end is
    # above -0.5 points from a mean of 0.13649 points on.
    [(0.0013, False), (0.0014, True), (0.0, False), (0.01, True), (-0.01, False)],
)
def test_non_inferiority_worked_by_hand(mean: float, shown: bool) -> None:
    assert finding(mean, 0.004, 4, 0.5).holds is shown


def test_non_inferiority_is_wrong_once_in_forty_at_the_margin() -> None:
    # Lower by exactly the margin: shown is wrong, and the test is one-sided at 2.5 %.
    differences = np.random.default_rng(0).normal(-0.005, 0.01, (TIMES, 6))
    low, _ = t_intervals(differences)
    assert np.mean(100 * low > -0.5) == pytest.approx(0.025, abs=0.005)
    for row, end in zip(differences[:20], low[:20], strict=True):
        ours = dict(enumerate(row))
        result = paired.compare(ours, dict.fromkeys(ours, 0.0), np.random.default_rng(0))
        assert Finding("s", "o", "t", 6, result, 0.5).holds is bool(100 * end > -0.5)
