"""Features standardised and reduced, as scikit-learn would, chunk by chunk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.core.types import Floats, Rows
from bgadl_tf.data import projection
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.projection import Projection
from bgadl_tf.data.source import StoredExamples, is_in_memory
from bgadl_tf.data.vectors import StoredVectors
from tests.support.examples import some_labels, some_vectors


def correlated(count: int = 300, features: int = 12) -> Floats:
    """Vectors whose components have different means and depend on each other; one is constant."""
    mixing = np.random.default_rng(5).normal(size=(features, features))
    vectors = some_vectors(count, features) @ mixing * 3.0 + np.arange(features) * 10.0
    vectors[:, 4] = 0.1
    return vectors.astype(np.float32)


def dataset(vectors: Floats, views: Floats | None = None) -> Dataset:
    """The first 200 to train on, the others to test on."""
    whole = Dataset.from_arrays(
        vectors[:200], some_labels(200), test_examples=vectors[200:], test_labels=some_labels(100)
    )
    train = ExampleSet(whole.train.ids, vectors[:200], whole.train.labels, views=views)
    return Dataset(whole.name, train, whole.test, whole.class_names)


class Recorded(StoredExamples):
    """Vectors on a disk that remembers how many were read at once."""

    def __init__(self, vectors: Floats) -> None:
        super().__init__(vectors.shape, np.dtype(np.float32))
        self.vectors, self.most = vectors, 0

    def read(self, rows: Rows) -> Floats:
        self.most = max(self.most, len(rows))
        return self.vectors[rows]


def test_standardised_as_scikit_learn_does() -> None:
    vectors = correlated()
    fitted = Projection.fit(vectors)
    assert fitted.weights.shape == (12,)  # no product where a scale will do
    expected = StandardScaler().fit_transform(vectors.astype(np.float64))
    found = fitted(vectors)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert found.dtype == np.float32
    assert not found[:, 4].any()
    other = vectors[:3].copy()
    other[:, 4] = 7.0
    assert not fitted(other)[:, 4].any(), "what no example has shown is not made up"


@pytest.mark.parametrize("standard", [True, False])
def test_principal_components_under_one_scale(standard: bool) -> None:
    vectors = correlated()
    fitted = Projection.fit(vectors, 5, standard)
    inputs = vectors.astype(np.float64)
    inputs = StandardScaler().fit_transform(inputs) if standard else inputs
    expected = PCA(5, svd_solver="full").fit_transform(inputs)
    expected /= np.sqrt(expected.var(0).mean())
    found = fitted(vectors)
    signs = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found * signs, expected, atol=2e-4)
    assert found.var(0).mean() == pytest.approx(1.0, rel=1e-4)
    assert found.var(0)[0] > 1.5 * found.var(0)[-1], "not whitened"


def test_very_wide_vectors_are_reduced_incrementally(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = correlated()
    exact = Projection.fit(vectors, 3)(vectors)
    monkeypatch.setattr(projection, "WIDEST", 11)
    monkeypatch.setattr(projection, "CHUNK_VALUES", 12 * 50)
    found = Projection.fit(vectors, 3)(vectors)
    assert found.var(0).mean() == pytest.approx(1.0, rel=0.02)
    for place in range(3):
        assert abs(np.corrcoef(found[:, place], exact[:, place])[0, 1]) > 0.98


@pytest.mark.parametrize("components", [None, 5])
def test_fitted_and_applied_chunk_by_chunk(
    components: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = correlated()
    whole = Projection.fit(vectors, components)
    monkeypatch.setattr(projection, "CHUNK_VALUES", 12 * 7)
    monkeypatch.setattr(projection, "IN_MEMORY", 1)
    source = Recorded(vectors[:200])
    by_chunks = Projection.fit(Recorded(vectors), components)
    for one, other in zip(by_chunks, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    plain = dataset(vectors)
    stored = ExampleSet(plain.train.ids, source, plain.train.labels)
    streamed = whole.of(Dataset("vectors", stored, plain.test, plain.class_names))
    assert not is_in_memory(streamed.train.examples)
    assert streamed.shape == (components or 12,)
    np.testing.assert_array_equal(streamed.train.examples[:], whole(vectors)[:200])
    assert source.most == 7


@pytest.mark.parametrize("components", [None, 16])
def test_a_vector_becomes_the_same_whatever_it_is_read_with(components: int | None) -> None:
    vectors = some_vectors(700, 64)
    fitted = Projection.fit(vectors, components)
    whole = fitted(vectors)
    rng = np.random.default_rng(0)
    for count in (1, 2, 7, 255, 256, 257, 600):
        rows = rng.permutation(700)[:count]
        np.testing.assert_array_equal(fitted(vectors[rows]), whole[rows])


def test_a_projected_dataset_is_known_by_what_it_was() -> None:
    vectors = correlated()
    views = np.stack([vectors[:200] + 1, vectors[:200] - 1], 1)
    before = dataset(vectors, views)
    fitted = Projection.fit(before.train.examples, 6)
    after = fitted.of(before)
    assert (after.shape, after.class_names, after.train.ids) == (
        (6,), before.class_names, before.train.ids,
    )  # fmt: skip
    assert after.projection is fitted
    np.testing.assert_array_equal(after.train.digests(), before.train.digests())
    assert after.train.views is not None
    assert after.train.views.shape == (200, 2, 6)
    np.testing.assert_array_equal(after.train.views[:][:, 1], fitted(vectors[:200] - 1))
    np.testing.assert_array_equal(after.test.examples[:], fitted(vectors[200:]))
    with pytest.raises(DataError, match="'arrays' are projected already"):
        fitted.of(after)
    with pytest.raises(DataError, match=r"shape \(6,\); this projection .* shape \(12,\)"):
        fitted.of(Dataset("x", after.train, after.test, after.class_names))


def test_it_survives_a_journal() -> None:
    fitted = Projection.fit(correlated(), 4)
    again = Projection.from_arrays(fitted.to_arrays())
    for one, other in zip(again, fitted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_sign_whatever_the_order() -> None:
    vectors = correlated()
    one, other = (Projection.fit(part, 4).weights for part in (vectors, vectors[::-1].copy()))
    np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(("count", "components"), [(300, 13), (8, 9)])
def test_more_components_than_there_can_be(count: int, components: int) -> None:
    with pytest.raises(ConfigError, match=rf"--components is {components}, .* {count} vectors"):
        Projection.fit(correlated()[:count], components)


def test_vectors_that_are_not_finite() -> None:
    vectors = correlated()
    vectors[17, 3] = np.inf
    with pytest.raises(DataError, match="vector 17 is not finite"):
        Projection.fit(vectors)


def test_equal_vectors_become_zeros() -> None:
    same = np.ones((20, 3), np.float32)
    for components in (None, 2):
        assert not Projection.fit(same, components)(same).any()


def test_half_precision_on_disk(tmp_path: Path) -> None:
    vectors = correlated().astype(np.float16)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    stored = StoredVectors(mapped, [str(row) for row in range(300)])
    expected = Projection.fit(vectors.astype(np.float32), 4)
    for one, other in zip(Projection.fit(stored, 4), expected, strict=True):
        np.testing.assert_array_equal(one, other)
