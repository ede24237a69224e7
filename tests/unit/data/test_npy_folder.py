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


def test_labels_that_are_not_counted_from_0_name_their_classes(kind: Kind, root: Path) -> None:
    some = np.array([0, 5, 7, 5])
    test_labels = some[LABELS[:8]]
    train_labels = np.where(np.arange(40) < 10, UNLABELLED, some[LABELS])
    write(root, train_labels=train_labels, test_labels=test_labels)
    dataset = kind.load(root)
    assert dataset.class_names == ("0", "5", "7")
    assert (dataset.train.labels[:10] == UNLABELLED).all()
    for part, labels in ((dataset.train, train_labels), (dataset.test, test_labels)):
        known = part.labels != UNLABELLED
        names = [dataset.class_names[label] for label in part.labels[known]]
        assert names == [str(label) for label in labels[known]]
        assert part.labels.dtype == np.int32
    assert dataset.intake.notes == ("labels are not 0, 1, …: the 3 classes are called 0, 5, 7",)


def test_classes_may_begin_anywhere_and_one_may_only_be_tested(kind: Kind, root: Path) -> None:
    write(root, train_labels=LABELS + 100, test_labels=np.full(8, 2**20))
    dataset = kind.load(root)
    assert dataset.class_names == ("100", "101", "102", "103", "1048576")
    assert {*dataset.test.labels.tolist()} == {4}


def test_named_classes_keep_their_labels(kind: Kind, root: Path) -> None:
    write(root, train_labels=LABELS % 2 * 3, test_labels=LABELS[:8] % 2 * 3, classes="a\nb\nc\nd")
    dataset = kind.load(root)
    assert dataset.train.labels.tolist() == (LABELS % 2 * 3).tolist()
    assert dataset.intake.notes == ()


@pytest.mark.parametrize("part", ["val", "valid", "validation", "dev"])
def test_validation_examples_are_held_out_without_a_test_set(
    kind: Kind, root: Path, part: str
) -> None:
    for name in (*kind.files("test"), "test_labels.npy"):
        (root / name).rename(root / name.replace("test_", f"{part}_"))
    dataset = kind.load(root)
    np.testing.assert_array_equal(dataset.test.examples, kind.examples[:8])
    assert dataset.test.ids[0] == f"{part}-0"
    (name,) = kind.files(part)
    assert dataset.intake.notes == (f"{name} is held out for testing, as there is no test",)
    assert dataset.intake.held_out == f"all of {name}"


def test_what_is_not_used_is_named(kind: Kind, root: Path) -> None:
    files = {f"val_{kind.stem}": kind.examples[:3], "val_labels": LABELS[:3]}
    write(root, **files, notes="x", train_masks=kind.examples)
    (root / ".DS_Store").touch()
    unused = "of a validation set, which beside a test set is used neither to train nor to test"
    assert kind.load(root).intake.left_out == {
        ".DS_Store": "hidden",
        "notes.txt": f"not a file that {kind.dataset!r} reads",
        "train_masks.npy": f"not a file that {kind.dataset!r} reads",
        f"val_{kind.stem}.npy": unused,
        "val_labels.npy": unused,
    }


def test_a_pool_of_its_own_joins_the_training_set(kind: Kind, root: Path) -> None:
    more = {f"pool_{kind.stem}": kind.examples[:5], "pool_labels": LABELS[:5]}
    dataset = kind.load(write(root, **more))
    assert len(dataset.train) == 45
    assert dataset.train.ids[40:] == tuple(f"pool-{row}" for row in range(5))
    assert (dataset.train.labels[40:] == UNLABELLED).all()
    np.testing.assert_array_equal(dataset.train.examples[40:45], kind.examples[:5])
    assert dataset.train.digests()[40:].tolist() == dataset.train.digests()[:5].tolist()
    assert [*dataset.intake.left_out] == ["pool_labels.npy"]


def test_other_names_of_splits(kind: Kind, root: Path) -> None:
    for path in sorted(root.iterdir()):
        part, rest = path.name.split("_")
        path.rename(root / f"{part.capitalize()}ing_{rest}")
    dataset = kind.load(root)
    assert (len(dataset.train), len(dataset.test)) == (40, 8)
    assert dataset.train.ids[0] == "Training-00"


def test_two_names_of_one_split_are_refused(kind: Kind, root: Path) -> None:
    write(root, **{f"val_{kind.stem}": kind.examples[:3], f"dev_{kind.stem}": kind.examples[:3]})
    with pytest.raises(DataError, match="has dev_… and val_… files, which are both of the valid"):
        kind.load(root)


def test_without_any_label_nothing_is_held_out(kind: Kind, root: Path) -> None:
    for name in (*kind.files("test"), "test_labels.npy", "train_labels.npy"):
        (root / name).unlink()
    new = LoadRequest(os.fspath(root), new_classes=("cat", "dog"))
    for dataset in (
        LOADERS.get(kind.dataset)(new),
        kind.load(write(root, classes="cat\ndog\n")),
    ):
        assert dataset.class_names == ("cat", "dog")
        assert (len(dataset.train), len(dataset.test)) == (40, 0)
        assert dataset.intake.held_out == "nothing, as no label is known"


def test_contents_are_known_by_their_file(kind: Kind, root: Path) -> None:
    train = kind.load(root).train
    every = np.arange(40)
    stamps, digests = train.known_by.stamps(every), train.digests()
    assert stamps is not None
    assert len({*digests.tolist()}) == 40
    os.utime(root / f"train_{kind.stem}.npy", (1, 1))
    assert (train.known_by.stamps(every) != stamps).all()
    assert train.digests().tolist() == digests.tolist()


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        (["train_{}.npy"], r"train_{}\.npy does not exist; expected an array that"),
        (["test_labels.npy"], "has test_{}.npy but no test_labels.npy; add or remove one"),
        (["test_{}.npy"], "has test_labels.npy but no test_{}.npy; add or remove one"),
        (
            ["test_{}.npy", "test_labels.npy", "train_labels.npy"],
            "names 0 classes .none., and a .* at least 2: name them in classes.txt.*--new-class",
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
