from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import arrays
from bgadl_tf.data.images.resize import MODES, resize
from bgadl_tf.data.loader import LoadRequest
from tests.support.examples import some_images
from tests.support.npy_folders import write

IMAGES = some_images(40)
LABELS = np.arange(40) % 4


def load(root: Path, size: int | None = None) -> Dataset:
    return arrays.load(LoadRequest(os.fspath(root), image_size=size))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(
        tmp_path / "pool", train_images=IMAGES, train_labels=LABELS,
        test_images=IMAGES[:8, ..., 0], test_labels=LABELS[:8],
    )  # fmt: skip


def test_grey_images_need_no_axis_of_channels(root: Path) -> None:
    dataset = load(root)
    assert isinstance(dataset.train.examples, np.memmap)
    assert (dataset.shape, dataset.dtype) == ((8, 8, 1), np.uint8)
    np.testing.assert_array_equal(dataset.test.examples, IMAGES[:8])


def test_images_are_resized_as_they_are_read(root: Path) -> None:
    dataset = load(root, size=12)
    assert dataset.shape == (12, 12, 1)
    np.testing.assert_array_equal(dataset.train.examples[5:9], resize(IMAGES[5:9], 12))


@pytest.mark.parametrize("mode", MODES)
def test_images_are_resized_as_they_are_told(tmp_path: Path, mode: str) -> None:
    images = some_images(40, (8, 14, 1))
    root = write(tmp_path / "pool", train_images=images, train_labels=LABELS)
    dataset = arrays.load(LoadRequest(os.fspath(root), image_size=12, resize=mode))
    for part in (dataset.train, dataset.test):
        rows = np.array([int(id_.rpartition("-")[2]) for id_ in part.ids])
        np.testing.assert_array_equal(part.examples[:], resize(images[rows], 12, mode))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES / 255.0, r"holds float64 \[40, 8, 8, 1\]; expected images, uint8 .*; pass pixels"),
        (IMAGES[0, 0], r"holds uint8 \[8, 1\]; expected images, uint8 \[N, H, W\] or"),
        (IMAGES[..., 0, 0] * 1.0, r"holds float64 \[40, 8\]; expected images, .*\[N, H, W, D\]$"),
        (
            np.zeros((40, 7, 8), np.uint8),
            r"train images of .* \[7, 8, 1\], test images \[8, 8, 1\]",
        ),
    ],
)
def test_what_is_no_image_is_refused(root: Path, images: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(root, train_images=images))
