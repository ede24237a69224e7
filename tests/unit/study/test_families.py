from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgadl_tf.study import families
from tests.support.study.folders import curve


def test_holm_worked_by_hand() -> None:
    # sorted .005 .01 .03 .04, times 4 3 2 1 = .02 .03 .06 .04, then the running maximum
    assert families.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert families.holm([0.9, 0.8]) == [1.0, 1.0]
    assert families.holm([]) == []


def test_holm_leaves_tests_without_p_out_of_the_family() -> None:
    found = families.holm([0.03, math.nan, 0.02])
    assert found[0] == pytest.approx(0.04)
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_raw_and_bonferroni(raw: list[float]) -> None:
    for p, adjusted in zip(raw, families.holm(raw), strict=True):
        assert p <= adjusted + 1e-12
        assert adjusted <= min(1.0, len(raw) * p) + 1e-12


def test_penalty_matrix_worked_by_hand() -> None:
    # At 20 labels both arms are the same; at 30 the first is better by .1, .11, .12.
    better = {seed: curve([20, 30], [0.4, 0.6 + 0.01 * seed]) for seed in range(3)}
    worse = {seed: curve([20, 30], [0.4, 0.5]) for seed in range(3)}
    lone = {0: curve([20, 30], [0.4, 0.5])}
    found = families.penalty_matrix({"better": better, "worse": worse, "lone": lone})
    np.testing.assert_array_equal(found[:2, :2], [[0.0, 0.5], [0.0, 0.0]])
    assert all(
        math.isnan(found[i, j]) for i, j in itertools.permutations(range(3), 2) if 2 in (i, j)
    )
