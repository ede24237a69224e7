from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgadl_tf.study import learning_curve
from tests.support.study.folders import curve


def test_aubc_worked_by_hand() -> None:
    # (10 * 0.5 + 20 * 0.7) / 30
    assert learning_curve.aubc(curve([20, 30, 50], [0.4, 0.6, 0.8])) == pytest.approx(19 / 30)
    assert math.isnan(learning_curve.aubc(curve([20], [0.4])))


@given(st.floats(0, 1), st.integers(2, 9))
def test_aubc_of_a_flat_curve_is_its_accuracy(level: float, points: int) -> None:
    assert learning_curve.aubc(curve(range(points), [level] * points)) == pytest.approx(level)


@pytest.mark.parametrize(
    ("accuracy", "labels"), [(0.4, 20.0), (0.3, 20.0), (0.5, 25.0), (0.6, 30.0), (0.7, 45.0)]
)
def test_labels_to_reach_interpolates(accuracy: float, labels: float) -> None:
    found = learning_curve.labels_to_reach(curve([20, 30, 40, 50], [0.4, 0.6, 0.6, 0.8]), accuracy)
    assert found == pytest.approx(labels)


def test_labels_to_reach_takes_the_first_crossing_and_admits_none() -> None:
    bumpy = curve([20, 30, 40, 50], [0.4, 0.8, 0.5, 0.9])
    assert learning_curve.labels_to_reach(bumpy, 0.6) == pytest.approx(25)
    assert math.isnan(learning_curve.labels_to_reach(bumpy, 0.95))


def test_label_saving() -> None:
    fast, slow = curve([20, 30], [0.4, 0.8]), curve([20, 60], [0.4, 0.8])
    assert learning_curve.label_saving(fast, slow, 0.8) == pytest.approx(0.5)
    assert learning_curve.label_saving(slow, fast, 0.8) == pytest.approx(-1.0)
    assert math.isnan(learning_curve.label_saving(fast, slow, 0.9))
