from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import arrays
from bgadl_tf.data.images.resize import resize
from bgadl_tf.data.source import is_in_memory
from tests.conftest import some_images

IMAGES = some_images(40)
LABELS = np.arange(40) % 4


def write(root: Path, **files: Any) -> Path:
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        if isinstance(content, str):
            (root / f"{name}.txt").write_text(content, encoding="utf-8")
        else:
            np.save(root / f"{name}.npy", content)
    return root


def load(root: Path, size: int | None = None, seed: int = 0) -> Dataset:
    return arrays.load(os.fspath(root), data_dir=None, image_size=size, seed=seed)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(
        tmp_path / "pool", train_images=IMAGES, train_labels=LABELS,
        test_images=IMAGES[:8, ..., 0], test_labels=LABELS[:8].astype(np.uint8),
    )  # fmt: skip


def test_pool_on_disk_and_test_images_in_memory(root: Path) -> None:
    dataset = load(root)
    assert isinstance(dataset.train.examples, np.memmap)
    assert is_in_memory(dataset.test.examples)
    np.testing.assert_array_equal(dataset.train.examples, IMAGES)
    np.testing.assert_array_equal(dataset.test.examples, IMAGES[:8])
    assert dataset.train.ids[9:11] == ("train-09", "train-10")
    assert dataset.test.ids[:2] == ("test-0", "test-1")
    assert dataset.train.labels.dtype == dataset.test.labels.dtype == np.int32
    assert dataset.train.labels.tolist() == LABELS.tolist()
    assert dataset.class_names == ("0", "1", "2", "3")


def test_labels_ids_and_classes_may_be_given_or_not(root: Path) -> None:
    (root / "train_labels.npy").unlink()
    write(
        root, classes="a\nb\nc d\né\nnone yet\n", train_ids="\n".join(f"x/{i}" for i in range(40))
    )
    dataset = load(root)
    assert (dataset.train.labels == UNLABELLED).all()
    assert dataset.class_names == ("a", "b", "c d", "é", "none yet")
    assert dataset.train.ids[39] == "x/39"


def test_without_test_images_a_fifth_of_each_class_is_held_out(root: Path) -> None:
    for name in ("test_images.npy", "test_labels.npy"):
        (root / name).unlink()
    labels = np.where(np.arange(40) < 20, UNLABELLED, LABELS)
    write(root, train_labels=labels)
    dataset = load(root, seed=1)
    assert np.bincount(dataset.test.labels).tolist() == [1, 1, 1, 1]
    assert len(dataset.train) == 36
    assert not is_in_memory(dataset.train.examples)
    assert is_in_memory(dataset.test.examples)
    for part in (dataset.train, dataset.test):
        rows = [int(id_.removeprefix("train-")) for id_ in part.ids]
        np.testing.assert_array_equal(part.examples[:], IMAGES[rows])
        assert part.labels.tolist() == labels[rows].tolist()
    assert load(root, seed=1).test.ids == dataset.test.ids
    assert load(root, seed=2).test.ids != dataset.test.ids


def test_images_are_resized_as_they_are_read(root: Path) -> None:
    dataset = load(root, size=12)
    assert dataset.shape == (12, 12, 1)
    np.testing.assert_array_equal(dataset.train.examples[5:9], resize(IMAGES[5:9], 12))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train_images": IMAGES.astype(float)}, r"holds float64 \[40, 8, 8, 1\]; expected uint8"),
        ({"train_images": IMAGES[0, 0]}, r"holds uint8 \[8, 1\]; expected uint8 \[N, H, W\] or"),
        ({"train_images": IMAGES[:0]}, r"train_images\.npy holds no image"),
        ({"train_images": np.array([None])}, r"cannot read .*train_images\.npy"),
        ({"train_images": np.asfortranarray(IMAGES)}, r"Fortran order.*ascontiguousarray"),
        ({"train_images": np.zeros((40, 7, 8), np.uint8)}, r"train images of .* \[7, 8, 1\], test"),
        ({"train_labels": LABELS[:9]}, r"holds int64 \[9\]; expected integers \[40\], one an"),
        ({"train_labels": LABELS * 1.0}, r"holds float64 \[40\]; expected integers \[40\]"),
        ({"train_labels": LABELS - 2}, r"go from -2 to 1; expected class indices from 0, or -1"),
        ({"train_labels": LABELS + 2**31}, r"to 2147483651; expected class indices"),
        ({"train_labels": LABELS * 20}, r"largest label in .* is 60, but only 48 images have one"),
        ({"test_labels": LABELS[:8] - 1}, r"test split of .* holds images without a label"),
        ({"classes": "a\nb\nc\n"}, r"go from 0 to 3; expected 0 to 2"),
        ({"classes": "a\nb\nc\na"}, r"classes\.txt has a name twice"),
        ({"classes": "a\n\nc\nd\n"}, r"line 2 of .*classes\.txt is blank"),
        ({"train_ids": "a\nb\n"}, r"train_ids\.txt has 2 lines; expected 40, one an image"),
        ({"train_ids": "a\n" * 40}, r"id 'a' occurs 40 times; ids"),
    ],
)
def test_files_that_do_not_fit_are_refused(root: Path, files: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(write(root, **files))


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (["train_images.npy"], r"train_images\.npy does not exist; expected an array that"),
        (["test_labels.npy"], "test_images.npy but no test_labels.npy; add or remove one"),
        (["test_images.npy"], "has test_labels.npy but no test_images.npy; add or remove one"),
        (
            ["test_images.npy", "test_labels.npy", "train_labels.npy"],
            "no class has 2 images with a label",
        ),
    ],
)
def test_missing_files(root: Path, gone: list[str], message: str) -> None:
    for name in gone:
        (root / name).unlink()
    with pytest.raises(DataError, match=message):
        load(root)


def test_files_that_are_no_arrays(root: Path) -> None:
    np.savez(root / "train_images.npz", IMAGES)
    (root / "train_images.npz").replace(root / "train_images.npy")
    with pytest.raises(DataError, match="holds several arrays"):
        load(root)
    (root / "train_images.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"cannot read .*train_images\.npy"):
        load(root)
    np.save(root / "train_images.npy", IMAGES)
    os.truncate(root / "train_images.npy", 1000)
    with pytest.raises(DataError, match=r"cannot read .*train_images\.npy"):
        load(root)
    np.save(root / "train_images.npy", IMAGES)
    (root / "classes.txt").write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=r"cannot read .*classes\.txt"):
        load(root)


def test_paths_that_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in ((tmp_path / "no", "does not exist"), (tmp_path / "file", "is a file")):
        with pytest.raises(DataError, match=message):
            load(path)
    with pytest.raises(DataError, match="needs a path"):
        arrays.load("", data_dir=None, image_size=None, seed=0)
