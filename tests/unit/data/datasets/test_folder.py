from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import folder
from bgadl_tf.data.loader import LoadRequest


def save(path: Path, size: tuple[int, int] = (9, 8), mode: str = "RGB", color: Any = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path)


def load(root: Path, size: int | None = None, seed: int = 0) -> Dataset:
    return folder.load(LoadRequest(os.fspath(root), image_size=size, seed=seed))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, color in (("dog", (200, 0, 0)), ("cat", (0, 100, 0))):
        for i in range(10):
            save(tmp_path / name / f"{i}.png", color=color)
    return tmp_path


def test_classes_ids_and_pixels(root: Path) -> None:
    dataset = load(root)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.shape == (8, 9, 3)
    assert (len(dataset.train), len(dataset.test)) == (16, 4)
    assert np.bincount(dataset.test.labels).tolist() == [2, 2]
    assert list(dataset.train.ids) == sorted(dataset.train.ids)
    assert {*dataset.train.ids, *dataset.test.ids} == {
        f"{name}/{i}.png" for name in ("cat", "dog") for i in range(10)
    }
    for part in (dataset.train, dataset.test):
        for id_, label, image in zip(part.ids, part.labels, part.examples, strict=True):
            assert dataset.class_names[label] == id_.partition("/")[0]
            assert image[0, 0].tolist() == ([200, 0, 0] if label else [0, 100, 0])


def test_the_held_out_images_follow_the_seed(root: Path) -> None:
    assert load(root, seed=1).test.ids == load(root, seed=1).test.ids
    assert load(root, seed=1).test.ids != load(root, seed=2).test.ids


def test_images_without_a_class_are_pool(root: Path) -> None:
    for name in ("loose.PNG", "unlabelled/a.png", "Unlabeled/deep/b.png"):
        save(root / name)
    train = load(root).train
    without = {i for i, label in zip(train.ids, train.labels, strict=True) if label == UNLABELLED}
    assert without == {"loose.PNG", "unlabelled/a.png", "Unlabeled/deep/b.png"}


def test_other_and_hidden_files_are_left_out(root: Path) -> None:
    (root / "notes.txt").touch()
    (root / "cat" / ".hidden.png").touch()
    (root / "cat" / "labels.csv").touch()
    save(root / ".thumbnails" / "x.png")
    save(root / "cat" / "deeper" / "x.jpeg")
    dataset = load(root)
    assert "cat/deeper/x.jpeg" in {*dataset.train.ids, *dataset.test.ids}
    assert len(dataset.train) + len(dataset.test) == 21


def test_given_splits_are_used(tmp_path: Path) -> None:
    save(tmp_path / "train" / "cat" / "1.png")
    save(tmp_path / "train" / "2.png")
    (tmp_path / "train" / "dog").mkdir()
    save(tmp_path / "test" / "dog" / "3.png")
    dataset = load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.train.ids == ("train/2.png", "train/cat/1.png")
    assert dataset.train.labels.tolist() == [UNLABELLED, 0]
    assert (dataset.test.ids, dataset.test.labels.tolist()) == (("test/dog/3.png",), [1])


def test_a_pool_without_labels_takes_its_classes_from_the_test_images(tmp_path: Path) -> None:
    for name in ("train/1.png", "test/cat/2.png", "test/dog/3.png"):
        save(tmp_path / name)
    assert load(tmp_path).class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["train/cat/1.png", "train/dog/1.png", "test/cats/1.png"], "lacks: cats; known: cat, dog"),
        (["train/cat/1.png", "train/dog/1.png", "test/1.png"], r"1 images .* e\.g\. 1\.png"),
        (["train/cat/1.png", "train/dog/1.png", "test/cat/x.txt"], "test holds no images"),
        (["cat/1.png", "cat/2.png"], r"has 1 class folders \(cat\)"),
        (["1.png"], r"has 0 class folders \(none\)"),
        (["cat/x.txt"], r"holds no images; expected .* \.bmp, \.gif"),
        (["cat/1.png", "dog/1.png", "dog/2.png"], r"fewer than 2 images: cat \(1\)"),
    ],
)
def test_layouts_that_cannot_work(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        if name.endswith(".txt"):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).touch()
        else:
            save(tmp_path / name)
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_paths_that_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in ((tmp_path / "no", "does not exist"), (tmp_path / "file", "is a file")):
        with pytest.raises(DataError, match=message):
            load(path)
    with pytest.raises(DataError, match="needs a path"):
        folder.load(LoadRequest())


def test_loops_of_links_end(root: Path) -> None:
    (root / "cat" / "up").symlink_to(root)
    (root / "cat" / "self").symlink_to(root / "cat" / "self")
    (root / "dog" / "other").symlink_to(root / "cat")
    dataset = load(root)
    assert len(dataset.train) + len(dataset.test) == 20


def test_a_class_folder_may_be_a_link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for i in range(2):
        save(elsewhere / f"{i}.png")
    (root / "bird").symlink_to(elsewhere)
    assert load(root).class_names == ("bird", "cat", "dog")
