from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bgadl_tf.study import intervals
from tests.support.study.folders import curve

DIFFERENCES = [0.02, 0.01, 0.03, -0.01, 0.02]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_interval_worked_by_hand() -> None:
    found = intervals.interval([0.1, 0.2, 0.3])
    # sd = 0.1; t(2, 0.975) = 4.302653; half width = 4.302653 * 0.1 / sqrt(3)
    assert found.mean == pytest.approx(0.2)
    assert found.sd == pytest.approx(0.1)
    assert found.high - found.mean == pytest.approx(0.248414, abs=1e-6)
    assert found.mean - found.low == pytest.approx(0.248414, abs=1e-6)
    assert found.n == 3


@pytest.mark.parametrize("values", [[], [0.5]])
def test_interval_of_fewer_than_two_runs_has_no_width(values: list[float]) -> None:
    found = intervals.interval(values)
    assert found.n == len(values)
    assert np.isnan([found.sd, found.low, found.high]).all()
    assert math.isnan(found.mean) == (not values)


def test_mean_curve_takes_the_runs_that_reached_a_count() -> None:
    mean = intervals.mean_curve([curve([20, 30], [0.4, 0.6]), curve([20, 40], [0.6, 0.9])])
    assert mean.labelled.tolist() == [20, 30, 40]
    assert [found.n for found in mean.intervals] == [2, 1, 1]
    assert [found.mean for found in mean.intervals] == pytest.approx([0.5, 0.6, 0.9])
    with pytest.raises(ValueError, match="at least one"):
        intervals.mean_curve([])


def test_bootstrap_interval_is_seeded_and_close_to_scipys() -> None:
    first = intervals.bootstrap_interval(DIFFERENCES, rng())
    assert first == intervals.bootstrap_interval(DIFFERENCES, rng())
    expected = stats.bootstrap(
        (DIFFERENCES,), np.mean, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert first == pytest.approx((expected.low, expected.high), abs=0.003)
