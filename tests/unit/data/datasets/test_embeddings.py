from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import embeddings
from bgadl_tf.data.loader import LoadRequest
from tests.support.examples import some_images
from tests.support.npy_folders import write

VECTORS = np.random.default_rng(0).normal(size=(40, 6))
LABELS = np.arange(40) % 4


def load(root: Path, size: int | None = None) -> Dataset:
    return embeddings.load(LoadRequest(os.fspath(root), image_size=size))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(
        tmp_path / "pool", train_embeddings=VECTORS, train_labels=LABELS,
        test_embeddings=VECTORS[:8], test_labels=LABELS[:8],
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_floats_are_used_as_float32(root: Path, dtype: type) -> None:
    vectors = VECTORS.astype(dtype)
    dataset = load(write(root, train_embeddings=vectors, test_embeddings=vectors[:8]))
    assert (dataset.shape, dataset.dtype) == ((6,), np.float32)
    for part, expected in ((dataset.train, vectors), (dataset.test, vectors[:8])):
        assert part.examples[:].dtype == np.float32
        np.testing.assert_array_equal(part.examples[:], expected.astype(np.float32))


def broken(row: int) -> np.ndarray:
    vectors = VECTORS.copy()
    vectors[row, 3] = np.nan
    return vectors


def test_test_vectors_are_finite(root: Path) -> None:
    with pytest.raises(DataError, match="component 3 of vector 'test-2' is nan; expected finite"):
        load(write(root, test_embeddings=broken(2)[:8]))


def test_vectors_with_a_label_are_finite(root: Path) -> None:
    write(root, train_embeddings=broken(20))
    with pytest.raises(DataError, match="component 3 of vector 'train-20' is nan"):
        load(root)
    for name in ("test_embeddings.npy", "test_labels.npy"):
        (root / name).unlink()
    with pytest.raises(DataError, match="component 3 of vector 'train-20' is nan"):
        load(root)


def test_other_vectors_are_looked_at_when_they_are_read(root: Path) -> None:
    labels = np.where(np.arange(40) < 20, LABELS, UNLABELLED)
    dataset = load(write(root, train_embeddings=broken(20), train_labels=labels))
    assert len(dataset.train.examples[21:]) == 19
    with pytest.raises(DataError, match="component 3 of vector 'train-20' is nan"):
        dataset.train.source_of(["train-30", "train-20"])[:]


def test_vectors_cannot_be_resized(root: Path) -> None:
    with pytest.raises(DataError, match=r"--image-size is 12, but .*pool' holds vectors.*leave it"):
        load(root, size=12)


@pytest.mark.parametrize(
    "array", [some_images(40), VECTORS[:, 0], VECTORS > 0, VECTORS.astype(np.longdouble)]
)
def test_what_is_no_vector_is_refused(root: Path, array: np.ndarray) -> None:
    with pytest.raises(
        DataError, match=r"; expected vectors, float16, float32 or float64 \[N, F\]"
    ):
        load(write(root, train_embeddings=array))
