"""Near-duplicates by the distance of features."""

from __future__ import annotations

import numpy as np
import pytest

from bgadl_tf.harvest.near_duplicates import Near, distinct, nearest_known, usual_distance

ROWS = np.random.default_rng(5).normal(size=(60, 7)).astype(np.float32)


def test_the_usual_distance_is_that_of_neighbours_that_differ() -> None:
    distances = np.linalg.norm(ROWS[:, None] - ROWS[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    expected = np.median(distances.min(1))
    assert usual_distance(ROWS) == pytest.approx(expected, rel=1e-5)
    twice = np.concatenate([ROWS, ROWS])
    assert usual_distance(twice) == pytest.approx(expected, rel=1e-5)
    assert usual_distance(ROWS * 1e4) == pytest.approx(expected * 1e4, rel=1e-5)
    assert usual_distance(np.ones((5, 3), np.float32)) == 1.0
    assert usual_distance(ROWS[:1]) == 1.0


def test_the_nearest_is_found_over_all_chunks() -> None:
    ids = [str(number) for number in range(60)]
    chunks = [(ids[start : start + 8], ROWS[start : start + 8]) for start in range(0, 60, 8)]
    asked = ROWS[[3, 50]] + np.float32(0.01)
    near = nearest_known(asked, chunks)
    assert [one.id for one in near] == ["3", "50"]
    assert [one.distance for one in near] == pytest.approx([0.01 * np.sqrt(7)] * 2, rel=1e-2)
    assert nearest_known(asked, []) == [Near(None, np.inf)] * 2


def test_of_images_that_are_alike_the_best_is_taken() -> None:
    vectors = np.array([[0, 0], [0.1, 0], [5, 0], [5, 0.2], [9, 9]], np.float32)
    far = [Near("pool", 100.0)] * 4 + [Near("pool", 0.3)]
    found = distinct("abcde", vectors, far, 0.5, None)
    assert [one is None for one in found] == [True, False, True, False, False]
    assert [one.id for one in found if one is not None] == ["a", "c", "pool"]
    assert len(distinct("abcde", vectors, far, 0.5, 1)) == 1
    assert distinct("abcde", vectors, far, 0.0, None) == [None] * 5
