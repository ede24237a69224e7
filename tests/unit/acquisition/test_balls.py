"""Who is near to whom, in float32 where that decides it, is what float64 says."""

from __future__ import annotations

import numpy as np
import pytest

from bgadl_tf.acquisition import balls, kmeans
from bgadl_tf.acquisition.balls import degrees, near, near_in_float64, neighbours
from bgadl_tf.core.types import Floats

SCALES = {"tiny": 1e-24, "huge": 1e22}
"""Their squares are out of the range of float32."""


def vectors_of(kind: str) -> Floats:
    """Some of each kind; on a grid many distances are equal to the radius."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 2 if kind == "grid" else 64))
    if kind == "grid":
        vectors = np.round(2 * vectors)
    elif kind == "far":
        vectors += 1e4
    elif kind == "alike":
        vectors = np.repeat(vectors[:4], 100, axis=0)
    elif kind in SCALES:
        vectors *= SCALES[kind]
    elif kind == "directions":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


KINDS = ("gauss", "directions", "grid", "far", "alike", *SCALES)


def radii_of(vectors: Floats) -> list[float]:
    """Also 0, and distances that occur, so that the least error is seen."""
    exact = vectors.astype(np.float64)
    distances = np.linalg.norm(exact[:, None] - exact, axis=2)
    return [0.0, *np.quantile(distances, [0.01, 0.1, 0.9], method="lower").tolist()]


@pytest.mark.parametrize("kind", KINDS)
def test_float32_says_what_float64_says(kind: str) -> None:
    vectors = vectors_of(kind)
    for radius in radii_of(vectors):
        found = near(vectors[:150], vectors, radius)
        np.testing.assert_array_equal(found, near_in_float64(vectors[:150], vectors, radius))
        assert found[np.arange(150), np.arange(150)].all()


def test_pairs_in_doubt_are_few_and_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = vectors_of("directions")
    radius = radii_of(vectors)[1]
    expected = near_in_float64(vectors, vectors, radius)

    def refuse(*_: object) -> None:
        raise AssertionError("all pairs were looked at")

    monkeypatch.setattr(balls, "near_in_float64", refuse)
    np.testing.assert_array_equal(near(vectors, vectors, radius), expected)
    monkeypatch.setattr(kmeans, "BLOCK_VALUES", 64)  # a pair in doubt at a time
    np.testing.assert_array_equal(near(vectors, vectors, radius), expected)


@pytest.mark.parametrize("block", [2**22, 64 * 150, 64 * 30])
@pytest.mark.parametrize("kind", KINDS)
def test_counts_by_blocks(kind: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = vectors_of(kind)
    radius = radii_of(vectors)[2]
    expected = near_in_float64(vectors, vectors, radius)
    monkeypatch.setattr(kmeans, "BLOCK_VALUES", block)
    np.testing.assert_array_equal(degrees(vectors, radius), expected.sum(axis=1))
    of, among = np.arange(7, 390, 3), np.arange(0, 400, 2)
    np.testing.assert_array_equal(
        neighbours(vectors, of, among, radius), expected[of][:, among].sum(axis=1)
    )


def test_no_vectors() -> None:
    none = np.zeros((0, 3), np.float32)
    assert degrees(none, 1.0).shape == (0,)
    assert neighbours(np.ones((2, 3), np.float32), np.arange(2), np.arange(0), 1.0).tolist() == [
        0,
        0,
    ]
