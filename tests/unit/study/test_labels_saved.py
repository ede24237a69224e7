from __future__ import annotations

import numpy as np
import pytest

from bgadl_tf.study.labels_saved import saved_table, saving
from tests.support.study.folders import curve

REFERENCE = curve([100, 200, 300], [0.5, 0.6, 0.7])


def test_labels_are_interpolated_between_rounds() -> None:
    found = saving(curve([100, 200, 300], [0.5, 0.8, 0.9]), REFERENCE)
    assert (found.labels, found.reference, found.reached) == (pytest.approx(500 / 3), 300, True)
    assert found.share == pytest.approx(1 - 5 / 9)
    assert saving(REFERENCE, REFERENCE).share == 0.0


def test_the_reference_may_get_there_before_its_end() -> None:
    early = curve([100, 200, 300], [0.5, 0.8, 0.7])
    assert saving(early, early).share == 0.0
    assert saving(REFERENCE, early).share == pytest.approx(1 - 300 / (500 / 3))


def test_an_arm_that_never_gets_there_is_counted_and_bounded() -> None:
    low = curve([100, 200, 300], [0.5, 0.6, 0.65])
    assert saving(low, REFERENCE) == saving(low, REFERENCE).__class__(300.0, 300.0, False)
    curves = {
        "slow": {0: low, 1: curve([100, 200], [0.5, 0.9]), 7: low},
        "random": {0: REFERENCE, 1: REFERENCE},
        "other seeds": {9: low},
    }
    lines = saved_table(curves, "random", np.random.default_rng(0)).splitlines()
    assert len(lines) == 3
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells[:3] == ["slow", "2", "≥ 225 ± 106"]
    assert (cells[3], cells[4], cells[-1]) == ("300 ± 0", "≤ +25.0", "1 of 2")


def test_nobody_to_compare_with() -> None:
    table = saved_table({"random": {0: REFERENCE}}, "random", np.random.default_rng(0))
    assert table == "No other arm shares a seed with `random`.\n"
