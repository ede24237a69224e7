from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bgadl_tf.study import paired

DIFFERENCES = [0.02, 0.01, 0.03, -0.01, 0.02]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_paired_t_agrees_with_scipy() -> None:
    ours, theirs = np.array([0.9, 0.8, 0.95, 0.7]), np.array([0.85, 0.82, 0.9, 0.6])
    expected = stats.ttest_rel(ours, theirs)
    assert paired.paired_t(ours - theirs) == pytest.approx((expected.statistic, expected.pvalue))


def test_paired_t_of_differences_without_spread() -> None:
    assert paired.paired_t([0.0, 0.0, 0.0]) == (0.0, 1.0)
    # 0.9 - 0.8 and 0.7 - 0.6 differ by rounding alone.
    assert np.isnan(paired.paired_t([0.9 - 0.8, 0.7 - 0.6])).all()
    assert np.isnan(paired.paired_t([0.1])).all()


def test_sign_flip_worked_by_hand() -> None:
    # Of the 8 sums of ±1 ±2 ±3, only 6 and -6 are as far from zero as 6.
    assert paired.sign_flip_p([1, 2, 3]) == 2 / 8
    # 1 + 2 - 3 = 0: every sum is as far.
    assert paired.sign_flip_p([1, 2, -3]) == 1.0
    assert math.isnan(paired.sign_flip_p([1]))


def test_sign_flip_agrees_with_scipy() -> None:
    expected = stats.permutation_test(
        (np.array(DIFFERENCES),), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert paired.sign_flip_p(DIFFERENCES) == pytest.approx(expected.pvalue)


def test_sign_flip_of_many_runs_is_drawn_and_close_to_exact() -> None:
    many = np.random.default_rng(1).normal(0.3, 1.0, paired.EXACT_UP_TO + 1)
    drawn = paired.sign_flip_p(many, rng(), resamples=20_000)
    assert drawn == pytest.approx(paired.paired_t(many)[1], abs=0.03)
    with pytest.raises(ValueError, match="give rng"):
        paired.sign_flip_p(many)


def test_compare_pairs_by_seed() -> None:
    ours = {0: 0.9, 1: 0.8, 2: 0.7, 5: 0.1, 7: math.nan}
    theirs = {2: 0.6, 1: 0.75, 0: 0.8, 6: 0.9, 7: 0.5}
    found = paired.compare(ours, theirs, rng())
    assert found.n == 3
    assert found.mean == pytest.approx(0.25 / 3)
    assert found.low <= found.mean <= found.high
    assert found.p_t == pytest.approx(stats.ttest_1samp([0.1, 0.05, 0.1], 0).pvalue)
    assert found.p_sign_flip == 2 / 8
    assert found.testable


@pytest.mark.parametrize("shared", [0, 1])
def test_compare_with_fewer_than_two_shared_seeds(shared: int) -> None:
    found = paired.compare({0: 0.9}, {0: 0.8} if shared else {1: 0.8}, rng())
    assert found.n == shared
    assert not found.testable
    assert math.isnan(found.mean) == (shared == 0)
