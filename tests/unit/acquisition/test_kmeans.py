"""k-means against plain NumPy, and where vectors are few, alike or many."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.acquisition import kmeans
from bgadl_tf.acquisition.kmeans import k_means, square_distances


def some(count: int, width: int = 3, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def groups_of(features: NDArray[np.float32], count: int, seed: int = 0) -> NDArray[np.int64]:
    return k_means(features, count, np.random.default_rng(seed))


def test_clusters_that_are_far_apart_are_found() -> None:
    centres = np.array([[0, 0], [50, 0], [0, 50], [50, 50]], np.float32)
    truth = np.arange(80) % 4
    features = centres[truth] + some(80, 2)
    for seed in range(20):
        groups = groups_of(features, 4, seed)
        assert len({*zip(groups.tolist(), truth.tolist(), strict=True)}) == 4


def test_nothing_is_nearer_to_another_groups_mean() -> None:
    features = some(300)
    groups = groups_of(features, 7)
    means = np.array([features[groups == group].mean(axis=0) for group in range(7)])
    distances = np.linalg.norm(features[:, None] - means, axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), groups)


def test_the_same_seed_and_another_size_of_blocks_give_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features = some(200)
    groups = groups_of(features, 9)
    np.testing.assert_array_equal(groups_of(features, 9), groups)
    monkeypatch.setattr(kmeans, "BLOCK_VALUES", 50)
    np.testing.assert_array_equal(groups_of(features, 9), groups)


def test_of_many_a_sample_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kmeans, "SAMPLE", 40)
    truth = np.arange(300) % 3
    features = 30.0 * truth[:, None].astype(np.float32) + some(300)
    groups = groups_of(features, 3)
    assert len({*zip(groups.tolist(), truth.tolist(), strict=True)}) == 3


@pytest.mark.parametrize(("count", "distinct"), [(1, 1), (3, 3), (9, 5)])
def test_vectors_that_are_alike_are_in_one_group(count: int, distinct: int) -> None:
    features = np.repeat(some(distinct), 4, axis=0)
    groups = groups_of(features, count)
    assert len({*groups.tolist()}) == distinct
    assert (groups.reshape(distinct, 4) == groups[::4, None]).all()


@pytest.mark.parametrize("value", [0.0, 1e4, 0.1])
def test_constant_vectors_are_a_single_group(value: float) -> None:
    assert {*groups_of(np.full((20, 3), value, np.float32), 6).tolist()} == {0}


def test_one_vector() -> None:
    assert groups_of(some(1), 5).tolist() == [0]


def test_far_from_the_origin_groups_are_the_same() -> None:
    features = np.round(some(100) * 64) / 64
    np.testing.assert_array_equal(groups_of(features + 4096, 5), groups_of(features, 5))


def test_squared_distances() -> None:
    one, other = some(5).astype(np.float64), some(4, seed=1).astype(np.float64)
    expected = np.linalg.norm(one[:, None] - other, axis=2) ** 2
    np.testing.assert_allclose(square_distances(one, other), expected, rtol=1e-12)
