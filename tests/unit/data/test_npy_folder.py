"""What holds for folders of images and of vectors alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.loader import LOADERS, LoadRequest
from bgadl_tf.data.source import is_in_memory
from tests.support.examples import some_images
from tests.support.npy_folders import write

LABELS = np.arange(40) % 4


class Kind(NamedTuple):
    """A kind of such folders, and 40 examples."""

    dataset: str
    stem: str
    one: str
    examples: np.ndarray

    def load(self, root: Path, seed: int = 0) -> Dataset:
        return LOADERS.get(self.dataset)(LoadRequest(os.fspath(root), seed=seed))

    def files(self, *parts: str) -> list[str]:
        return [f"{part}_{self.stem}.npy" for part in parts]


VECTORS = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
KINDS = (
    Kind("arrays", "images", "image", some_images(40)),
    Kind("embeddings", "embeddings", "vector", VECTORS),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.dataset)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def root(tmp_path: Path, kind: Kind) -> Path:
    examples = {f"train_{kind.stem}": kind.examples, f"test_{kind.stem}": kind.examples[:8]}
    labels = {"train_labels": LABELS, "test_labels": LABELS[:8].astype(np.uint8)}
    return write(tmp_path / "pool", **examples, **labels)


def test_pool_on_disk_and_test_examples_in_memory(kind: Kind, root: Path) -> None:
    dataset = kind.load(root)
    assert dataset.name == f"{kind.dataset}:{root}"
    assert not is_in_memory(dataset.train.examples)
    assert is_in_memory(dataset.test.examples)
    np.testing.assert_array_equal(dataset.train.examples[:], kind.examples)
    np.testing.assert_array_equal(dataset.test.examples, kind.examples[:8])
    assert dataset.train.ids[9:11] == ("train-09", "train-10")
    assert dataset.test.ids[:2] == ("test-0", "test-1")
    assert dataset.train.labels.dtype == dataset.test.labels.dtype == np.int32
    assert dataset.train.labels.tolist() == LABELS.tolist()
    assert dataset.class_names == ("0", "1", "2", "3")


def test_labels_ids_and_classes_may_be_given_or_not(kind: Kind, root: Path) -> None:
    (root / "train_labels.npy").unlink()
    ids = "\n".join(f"x/{i}" for i in range(40))
    write(root, classes="a\nb\nc d\né\nnone yet\n", train_ids=ids, test_ids="\n".join("abcdefgh"))
    dataset = kind.load(root)
    assert (dataset.train.labels == UNLABELLED).all()
    assert dataset.class_names == ("a", "b", "c d", "é", "none yet")
    assert dataset.train.ids[39] == "x/39"
    assert dataset.test.ids == tuple("abcdefgh")


def test_without_test_examples_a_fifth_of_each_class_is_held_out(kind: Kind, root: Path) -> None:
    for name in (*kind.files("test"), "test_labels.npy"):
        (root / name).unlink()
    labels = np.where(np.arange(40) < 20, UNLABELLED, LABELS)
    write(root, train_labels=labels)
    dataset = kind.load(root, seed=1)
    assert np.bincount(dataset.test.labels).tolist() == [1, 1, 1, 1]
    assert len(dataset.train) == 36
    assert not is_in_memory(dataset.train.examples)
    assert is_in_memory(dataset.test.examples)
    for part in (dataset.train, dataset.test):
        rows = [int(id_.removeprefix("train-")) for id_ in part.ids]
        np.testing.assert_array_equal(part.examples[:], kind.examples[rows])
        assert part.labels.tolist() == labels[rows].tolist()
    assert kind.load(root, seed=1).test.ids == dataset.test.ids
    assert kind.load(root, seed=2).test.ids != dataset.test.ids


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"train_labels": LABELS[:9]},
            r"holds int64 \[9\]; expected integers \[40\], one for each",
        ),
        ({"train_labels": LABELS * 1.0}, r"holds float64 \[40\]; expected integers \[40\]"),
        ({"train_labels": LABELS - 2}, r"go from -2 to 1; expected class indices from 0, or -1"),
        ({"train_labels": LABELS + 2**31}, r"to 2147483651; expected class indices"),
        ({"train_labels": LABELS * 20}, r"label in .* is 60, but only 48 examples have one; num"),
        ({"test_labels": LABELS[:8] - 1}, r"test split of .* holds (images|vectors) without a lab"),
        ({"classes": "a\nb\nc\n"}, r"go from 0 to 3; expected 0 to 2"),
        ({"classes": "a\nb\nc\na"}, r"classes\.txt has a name twice"),
        ({"classes": "a\n\nc\nd\n"}, r"line 2 of .*classes\.txt is blank"),
        ({"train_ids": "a\nb\n"}, r"train_ids\.txt has 2 ids; expected 40, one for each (ima|vec)"),
        ({"train_ids": "a\n" * 40}, r"id 'a' occurs 40 times; ids"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    kind: Kind, root: Path, files: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        kind.load(write(root, **files))


def test_examples_that_cannot_be_used_are_refused(kind: Kind, root: Path) -> None:
    name = f"train_{kind.stem}"
    for array, message in (
        (kind.examples[:0], rf"{name}\.npy is empty: .*; expected at least one example"),
        (np.array([None]), rf"cannot read .*{name}\.npy"),
        (kind.examples.astype(np.int64), r"holds int64 \[40, .*; expected (images|vectors), "),
        (np.asfortranarray(kind.examples), rf"in which one {kind.one} .*ascontiguousarray"),
        (kind.examples[:, 1:], rf"train {kind.one}s of .* are .*, test {kind.one}s"),
    ):
        with pytest.raises(DataError, match=message):
            kind.load(write(root, **{name: array}))


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (["train_{}.npy"], r"train_{}\.npy does not exist; expected an array that"),
        (["test_labels.npy"], "has test_{}.npy but no test_labels.npy; add or remove one"),
        (["test_{}.npy"], "has test_labels.npy but no test_{}.npy; add or remove one"),
        (
            ["test_{}.npy", "test_labels.npy", "train_labels.npy"],
            "has no test_{}.npy, and no class has 2 (images|vectors) with a label",
        ),
    ],
)
def test_missing_files(kind: Kind, root: Path, gone: list[str], message: str) -> None:
    for name in gone:
        (root / name.format(kind.stem)).unlink()
    with pytest.raises(DataError, match=message.format(kind.stem)):
        kind.load(root)


def test_files_that_are_no_arrays(kind: Kind, root: Path) -> None:
    (name,) = kind.files("train")
    np.savez(root / "several.npz", kind.examples)
    (root / "several.npz").replace(root / name)
    with pytest.raises(DataError, match="holds several arrays"):
        kind.load(root)
    (root / name).write_bytes(b"no array")
    with pytest.raises(DataError, match=rf"cannot read .*{name}"):
        kind.load(root)
    np.save(root / name, kind.examples)
    os.truncate(root / name, 900)
    with pytest.raises(DataError, match=rf"cannot read .*{name}"):
        kind.load(root)
    np.save(root / name, kind.examples)
    (root / "classes.txt").write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=r"cannot read .*classes\.txt"):
        kind.load(root)


def test_paths_that_are_no_folder(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, message in ((tmp_path / "no", "does not exist"), (tmp_path / "file", "is a file")):
        with pytest.raises(DataError, match=message + f"; expected .* train_{kind.stem}.npy"):
            kind.load(path)
    with pytest.raises(DataError, match=f"needs a path: --dataset {kind.dataset}:FOLDER"):
        LOADERS.get(kind.dataset)(LoadRequest())
