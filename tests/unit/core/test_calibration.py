from __future__ import annotations

import json

import numpy as np
import pytest

from bgadl_tf.core.calibration import BINS, Calibration, CalibrationBins


def counted(confidence: list[float], right: list[bool]) -> Calibration:
    bins = CalibrationBins()
    bins.add(confidence, right)
    found = bins.result()
    assert found is not None
    return found


def test_worked_by_hand() -> None:
    # Bins of 1/15: .95 and 1 in the last one, .5 in (7/15, 8/15], .2 and .15 in (2/15, 3/15].
    found = counted([0.95, 1.0, 0.5, 0.2, 0.15], [True, False, True, False, False])
    assert [(place, n) for place, n in enumerate(found.count) if n] == [(2, 2), (7, 1), (14, 2)]
    assert found.accuracy[14] == 0.5
    assert found.confidence[14] == pytest.approx(0.975)
    assert (found.accuracy[0], found.confidence[0]) == (None, None)
    # (|1 - 1.95| + |1 - .5| + |0 - .35|) / 5
    assert found.ece == pytest.approx(0.36)


def test_edges_belong_to_the_bin_below_and_rounding_to_the_last() -> None:
    found = counted([0.0, 1 / BINS, 1.0 + 1e-7], [False, False, True])
    assert (found.count[0], found.count[-1]) == (2, 1)


def test_chunks_make_no_difference_and_nothing_is_nothing() -> None:
    rng = np.random.default_rng(0)
    confidence, right = rng.uniform(0.1, 1.0, 1000), rng.random(1000) < 0.7
    bins = CalibrationBins()
    assert bins.result() is None
    for start in range(0, 1000, 300):
        bins.add(confidence[start : start + 300], right[start : start + 300])
    found, whole = bins.result(), counted([*confidence], [*right])
    assert found is not None
    assert found.ece == pytest.approx(whole.ece)
    assert found.count == whole.count


def test_who_is_right_as_often_as_sure_has_next_to_no_error() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.1, 1.0, 200_000)
    assert counted([*confidence], [*(rng.random(200_000) < confidence)]).ece < 0.005
    assert counted([*confidence], [*(rng.random(200_000) < confidence**2)]).ece > 0.1


def test_json_and_back() -> None:
    found = counted([0.9, 0.4], [True, True])
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found
