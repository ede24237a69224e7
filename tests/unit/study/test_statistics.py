from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bgadl_tf.study import statistics
from tests.unit.study.folders import curve

DIFFERENCES = [0.02, 0.01, 0.03, -0.01, 0.02]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_interval_worked_by_hand() -> None:
    found = statistics.interval([0.1, 0.2, 0.3])
    # sd = 0.1; t(2, 0.975) = 4.302653; half width = 4.302653 * 0.1 / sqrt(3)
    assert found.mean == pytest.approx(0.2)
    assert found.sd == pytest.approx(0.1)
    assert found.high - found.mean == pytest.approx(0.248414, abs=1e-6)
    assert found.mean - found.low == pytest.approx(0.248414, abs=1e-6)
    assert found.n == 3


@pytest.mark.parametrize("values", [[], [0.5]])
def test_interval_of_fewer_than_two_runs_has_no_width(values: list[float]) -> None:
    found = statistics.interval(values)
    assert found.n == len(values)
    assert np.isnan([found.sd, found.low, found.high]).all()
    assert math.isnan(found.mean) == (not values)


def test_mean_curve_takes_the_runs_that_reached_a_count() -> None:
    mean = statistics.mean_curve([curve([20, 30], [0.4, 0.6]), curve([20, 40], [0.6, 0.9])])
    assert mean.labelled.tolist() == [20, 30, 40]
    assert [found.n for found in mean.intervals] == [2, 1, 1]
    assert [found.mean for found in mean.intervals] == pytest.approx([0.5, 0.6, 0.9])
    with pytest.raises(ValueError, match="at least one"):
        statistics.mean_curve([])


def test_aubc_worked_by_hand() -> None:
    # (10 * 0.5 + 20 * 0.7) / 30
    assert statistics.aubc(curve([20, 30, 50], [0.4, 0.6, 0.8])) == pytest.approx(19 / 30)
    assert math.isnan(statistics.aubc(curve([20], [0.4])))


@given(st.floats(0, 1), st.integers(2, 9))
def test_aubc_of_a_flat_curve_is_its_accuracy(level: float, points: int) -> None:
    assert statistics.aubc(curve(range(points), [level] * points)) == pytest.approx(level)


@pytest.mark.parametrize(
    ("accuracy", "labels"), [(0.4, 20.0), (0.3, 20.0), (0.5, 25.0), (0.6, 30.0), (0.7, 45.0)]
)
def test_labels_to_reach_interpolates(accuracy: float, labels: float) -> None:
    found = statistics.labels_to_reach(curve([20, 30, 40, 50], [0.4, 0.6, 0.6, 0.8]), accuracy)
    assert found == pytest.approx(labels)


def test_labels_to_reach_takes_the_first_crossing_and_admits_none() -> None:
    bumpy = curve([20, 30, 40, 50], [0.4, 0.8, 0.5, 0.9])
    assert statistics.labels_to_reach(bumpy, 0.6) == pytest.approx(25)
    assert math.isnan(statistics.labels_to_reach(bumpy, 0.95))


def test_label_saving() -> None:
    fast, slow = curve([20, 30], [0.4, 0.8]), curve([20, 60], [0.4, 0.8])
    assert statistics.label_saving(fast, slow, 0.8) == pytest.approx(0.5)
    assert statistics.label_saving(slow, fast, 0.8) == pytest.approx(-1.0)
    assert math.isnan(statistics.label_saving(fast, slow, 0.9))


def test_paired_t_agrees_with_scipy() -> None:
    ours, theirs = np.array([0.9, 0.8, 0.95, 0.7]), np.array([0.85, 0.82, 0.9, 0.6])
    expected = stats.ttest_rel(ours, theirs)
    assert statistics.paired_t(ours - theirs) == pytest.approx(
        (expected.statistic, expected.pvalue)
    )


def test_paired_t_of_differences_without_spread() -> None:
    assert statistics.paired_t([0.0, 0.0, 0.0]) == (0.0, 1.0)
    # 0.9 - 0.8 and 0.7 - 0.6 differ by rounding alone.
    assert np.isnan(statistics.paired_t([0.9 - 0.8, 0.7 - 0.6])).all()
    assert np.isnan(statistics.paired_t([0.1])).all()


def test_sign_flip_worked_by_hand() -> None:
    # Of the 8 sums of ±1 ±2 ±3, only 6 and -6 are as far from zero as 6.
    assert statistics.sign_flip_p([1, 2, 3]) == 2 / 8
    # 1 + 2 - 3 = 0: every sum is as far.
    assert statistics.sign_flip_p([1, 2, -3]) == 1.0
    assert math.isnan(statistics.sign_flip_p([1]))


def test_sign_flip_agrees_with_scipy() -> None:
    expected = stats.permutation_test(
        (np.array(DIFFERENCES),), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert statistics.sign_flip_p(DIFFERENCES) == pytest.approx(expected.pvalue)


def test_sign_flip_of_many_runs_is_drawn_and_close_to_exact() -> None:
    many = np.random.default_rng(1).normal(0.3, 1.0, statistics.EXACT_UP_TO + 1)
    drawn = statistics.sign_flip_p(many, rng(), resamples=20_000)
    assert drawn == pytest.approx(statistics.paired_t(many)[1], abs=0.03)
    with pytest.raises(ValueError, match="give rng"):
        statistics.sign_flip_p(many)


def test_bootstrap_interval_is_seeded_and_close_to_scipys() -> None:
    first = statistics.bootstrap_interval(DIFFERENCES, rng())
    assert first == statistics.bootstrap_interval(DIFFERENCES, rng())
    expected = stats.bootstrap(
        (DIFFERENCES,), np.mean, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert first == pytest.approx((expected.low, expected.high), abs=0.003)


def test_compare_pairs_by_seed() -> None:
    ours = {0: 0.9, 1: 0.8, 2: 0.7, 5: 0.1, 7: math.nan}
    theirs = {2: 0.6, 1: 0.75, 0: 0.8, 6: 0.9, 7: 0.5}
    found = statistics.compare(ours, theirs, rng())
    assert found.n == 3
    assert found.mean == pytest.approx(0.25 / 3)
    assert found.low <= found.mean <= found.high
    assert found.p_t == pytest.approx(stats.ttest_1samp([0.1, 0.05, 0.1], 0).pvalue)
    assert found.p_sign_flip == 2 / 8
    assert found.testable


@pytest.mark.parametrize("shared", [0, 1])
def test_compare_with_fewer_than_two_shared_seeds(shared: int) -> None:
    found = statistics.compare({0: 0.9}, {0: 0.8} if shared else {1: 0.8}, rng())
    assert found.n == shared
    assert not found.testable
    assert math.isnan(found.mean) == (shared == 0)


def test_holm_worked_by_hand() -> None:
    # sorted .005 .01 .03 .04, times 4 3 2 1 = .02 .03 .06 .04, then the running maximum
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.9, 0.8]) == [1.0, 1.0]
    assert statistics.holm([]) == []


def test_holm_leaves_tests_without_p_out_of_the_family() -> None:
    found = statistics.holm([0.03, math.nan, 0.02])
    assert found[0] == pytest.approx(0.04)
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_raw_and_bonferroni(raw: list[float]) -> None:
    for p, adjusted in zip(raw, statistics.holm(raw), strict=True):
        assert p <= adjusted + 1e-12
        assert adjusted <= min(1.0, len(raw) * p) + 1e-12


def test_penalty_matrix_worked_by_hand() -> None:
    # At 20 labels both arms are the same; at 30 the first is better by .1, .11, .12.
    better = {seed: curve([20, 30], [0.4, 0.6 + 0.01 * seed]) for seed in range(3)}
    worse = {seed: curve([20, 30], [0.4, 0.5]) for seed in range(3)}
    lone = {0: curve([20, 30], [0.4, 0.5])}
    found = statistics.penalty_matrix({"better": better, "worse": worse, "lone": lone})
    np.testing.assert_array_equal(found[:2, :2], [[0.0, 0.5], [0.0, 0.0]])
    assert all(
        math.isnan(found[i, j]) for i, j in itertools.permutations(range(3), 2) if 2 in (i, j)
    )
