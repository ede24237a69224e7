from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.source import is_in_memory
from tests.support.examples import RecordedImages, some_images

IMAGES = some_images(12)
VECTORS = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
LABELS = np.arange(12) % 3
IDS = tuple("abcdefghijkl")
SPACES = pytest.mark.parametrize("examples", [IMAGES, VECTORS], ids=["images", "vectors"])


def example_set(examples: Any, labels: Any = LABELS, ids: tuple[str, ...] = IDS) -> ExampleSet:
    return ExampleSet(ids, examples, np.array(labels, np.int32))


def dataset(examples: Any, test: Any = None, names: tuple[str, ...] = ("x", "y", "z")) -> Dataset:
    train = example_set(examples, ids=IDS[: len(examples)], labels=LABELS[: len(examples)])
    return Dataset("mine", train, train if test is None else test, names)


# Sets of examples


@SPACES
def test_examples_are_found_by_id(examples: np.ndarray) -> None:
    some = example_set(examples)
    np.testing.assert_array_equal(some.examples_of(["d", "b"]), examples[[3, 1]])
    np.testing.assert_array_equal(some.source_of(["d", "b"])[:], examples[[3, 1]])
    assert some.labels_of(["d", "b"]).tolist() == [0, 1]
    assert some.in_memory() is some
    with pytest.raises(DataError, match="no example is called 'm'"):
        some.rows(["a", "m"])


@pytest.mark.parametrize(
    "examples",
    [
        IMAGES / np.float32(255),
        IMAGES[..., 0],
        IMAGES.astype(np.int64),
        VECTORS.astype(np.float64),
        IMAGES[:, :, 0, 0],
        VECTORS[:, 0],
    ],
)
def test_other_types_and_shapes_are_refused(examples: np.ndarray) -> None:
    got = rf"examples are {examples.dtype} \[{', '.join(map(str, examples.shape))}\]; expected"
    with pytest.raises(DataError, match=got + r" images, uint8 .*, or vectors, float32 \[N, F\]"):
        example_set(examples)


def test_vectors_in_memory_are_finite() -> None:
    vectors = VECTORS.copy()
    vectors[4, 1] = np.inf
    with pytest.raises(DataError, match="component 1 of vector 'e' is inf; expected finite"):
        example_set(vectors)


@pytest.mark.parametrize(("examples", "kind"), [(IMAGES, "images"), (VECTORS, "vectors")])
def test_lengths_and_ids_that_do_not_fit(examples: np.ndarray, kind: str) -> None:
    with pytest.raises(DataError, match=f"12 ids, 11 {kind} and 12 labels; expected the same"):
        example_set(examples[:11])
    with pytest.raises(DataError, match="id 'a' occurs 3 times and 1 further ids too often"):
        example_set(examples, ids=tuple("aaabbcdefghi"))


# Datasets


def test_shape_and_type_of_either_space() -> None:
    images, vectors = dataset(IMAGES), dataset(VECTORS)
    assert (images.shape, images.dtype, images.classes) == ((8, 8, 1), np.uint8, 3)
    assert (vectors.shape, vectors.dtype, vectors.classes) == ((5,), np.float32, 3)


@pytest.mark.parametrize("shape", [(1, 1, 1), (300, 2, 3)])
def test_images_may_have_any_size(shape: tuple[int, int, int]) -> None:
    assert dataset(some_images(12, shape)).shape == shape


@pytest.mark.parametrize(
    ("examples", "test", "message"),
    [
        (
            IMAGES,
            example_set(VECTORS),
            r"train images of 'mine' are \[8, 8, 1\], test vectors \[5\]",
        ),
        (VECTORS, example_set(VECTORS[:, 1:]), r"train vectors of 'mine' are \[5\], test vectors"),
        (VECTORS, example_set(VECTORS, LABELS - 1), "'mine' holds vectors without a label"),
        (IMAGES, example_set(IMAGES, LABELS + 1), r"test split of 'mine' go from 1 to 3; expected"),
        (IMAGES, example_set(IMAGES[:0], [], ()), "the test split of dataset 'mine' is empty"),
        (some_images(12, (8, 8, 2)), None, "have 2 channels; 1 and 3 work"),
        (IMAGES[:, :0], None, r"images of 'mine' are \[0, 8, 1\]; expected sizes from 1 on"),
        (VECTORS[:, :0], None, r"vectors of 'mine' are \[0\]; expected sizes from 1 on"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    examples: np.ndarray, test: ExampleSet | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        dataset(examples, test)


def test_one_class_is_not_enough() -> None:
    with pytest.raises(DataError, match="has 1 class; a classifier needs at least 2"):
        dataset(IMAGES, names=("x",))


# From arrays


@SPACES
def test_arrays_need_nothing_but_a_test_set(examples: np.ndarray) -> None:
    made = Dataset.from_arrays(examples, test_examples=examples[:6], test_labels=LABELS[:6])
    assert made.name == "arrays"
    assert made.train.ids[9:] == ("train-09", "train-10", "train-11")
    assert made.test.ids[:2] == ("test-0", "test-1")
    assert (made.train.labels == UNLABELLED).all()
    assert made.test.labels.tolist() == LABELS[:6].tolist()
    assert made.class_names == ("0", "1", "2")
    assert made.train.examples is examples


def test_everything_can_be_given() -> None:
    made = Dataset.from_arrays(
        IMAGES,
        [-1, 0, 1] * 4,
        test_examples=IMAGES[:3, ..., 0],
        test_labels=(0, 1, 1),
        class_names=["cat", "dog", "none yet"],
        train_ids=[*"abcdefghijkl"],
        name="pets",
    )
    assert (made.name, made.train.ids) == ("pets", IDS)
    assert made.class_names == ("cat", "dog", "none yet")
    assert made.train.labels.tolist() == [-1, 0, 1] * 4
    assert made.train.labels.dtype == made.test.labels.dtype == np.int32
    assert made.test.examples.shape == (3, 8, 8, 1)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8", ">i4"])
def test_labels_may_be_any_integers(dtype: str) -> None:
    labels = LABELS.astype(dtype)
    made = Dataset.from_arrays(IMAGES, labels, test_examples=IMAGES, test_labels=labels)
    assert made.train.labels.dtype == np.int32
    assert made.train.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_become_float32(dtype: type) -> None:
    vectors = VECTORS.astype(dtype)
    made = Dataset.from_arrays(vectors, test_examples=vectors.tolist(), test_labels=LABELS)
    for part in (made.train, made.test):
        np.testing.assert_array_equal(part.examples[:], vectors.astype(np.float32))
    assert made.dtype == np.float32


@SPACES
def test_a_mapped_pool_stays_on_disk(examples: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "pool.npy", examples)
    pool = np.load(tmp_path / "pool.npy", mmap_mode="r")
    made = Dataset.from_arrays(pool, LABELS, test_examples=pool, test_labels=LABELS)
    assert not is_in_memory(made.train.examples)
    assert is_in_memory(made.test.examples)
    np.testing.assert_array_equal(made.train.examples[:], examples)
    np.testing.assert_array_equal(made.test.examples, examples)


def test_mapped_vectors_are_looked_at_when_they_are_read(tmp_path: Path) -> None:
    vectors = VECTORS.copy()
    vectors[4, 1] = np.nan
    np.save(tmp_path / "pool.npy", vectors)
    pool = np.load(tmp_path / "pool.npy", mmap_mode="r")
    made = Dataset.from_arrays(pool, test_examples=VECTORS, test_labels=LABELS)
    with pytest.raises(DataError, match="component 1 of vector 'train-04' is nan"):
        made.train.examples_of(["train-03", "train-04"])
    with pytest.raises(DataError, match="component 1 of vector 'train-04' is nan"):
        Dataset.from_arrays(pool, LABELS, test_examples=VECTORS, test_labels=LABELS)
    with pytest.raises(DataError, match="component 1 of vector 'test-04' is nan"):
        Dataset.from_arrays(VECTORS, test_examples=pool, test_labels=LABELS)


def test_examples_may_be_read_by_a_source_of_ones_own() -> None:
    source = RecordedImages(IMAGES)
    made = Dataset.from_arrays(source, LABELS, test_examples=source, test_labels=LABELS)
    assert made.train.examples is source
    assert source.asked == [[*range(12)]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"train_examples": IMAGES / np.float32(255)},
            r"train_examples holds float32 \[12, 8, 8, 1\]; .*; pass pixels as uint8 from 0 to 255",
        ),
        (
            {"train_examples": IMAGES[:, 0, :, 0]},
            r"uint8 \[12, 8\]; expected images, uint8 \[N, H, W\] or .* or vectors, float16, ",
        ),
        ({"train_examples": VECTORS.astype(np.longdouble)}, r"or vectors, float16, .*\[N, F\]$"),
        ({"train_examples": VECTORS > 0}, r"holds bool \[12, 5\]; expected images"),
        (
            {"train_examples": IMAGES[:0]},
            r"train_examples is empty: uint8 \[0, 8, 8, 1\]; expected",
        ),
        ({"train_labels": LABELS * 1.0}, r"train_labels holds float64 \[12\]; expected integers"),
        (
            {"train_labels": LABELS[:4]},
            r"int64 \[4\]; expected integers \[12\], one for each image",
        ),
        ({"train_labels": LABELS - 2}, "labels in train_labels go from -2 to 0; expected class"),
        ({"test_labels": LABELS - 1}, "the test split of 'arrays' holds images without a label"),
        ({"test_labels": LABELS + 30}, "largest label in dataset 'arrays' is 32, but only 12 ex"),
        ({"class_names": "ab"}, "go from 0 to 2; expected 0 to 1"),
        ({"class_names": "aba"}, "class_names has a name twice"),
        ({"train_ids": IDS[:4]}, "train_ids has 4 ids; expected 12, one for each image"),
        ({"train_ids": range(12)}, "train_ids has the id 0; expected strings, e.g. '0'"),
        ({"train_ids": "aacdefghijkl"}, "id 'a' occurs 2 times"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    fitting = {"train_examples": IMAGES, "test_examples": IMAGES, "test_labels": LABELS}
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(**{**fitting, **given})


def test_classes_without_an_example_are_told(caplog: pytest.LogCaptureFixture) -> None:
    images = np.zeros((8, 8, 8), np.uint8)
    dataset = Dataset.from_arrays(
        images, [0, 5, 7, -1, 0, 0, 7, 7], test_examples=images[:2], test_labels=[0, 3], name="mine"
    )
    assert dataset.class_names == tuple("01234567")
    assert dataset.train.labels.tolist() == [0, 5, 7, -1, 0, 0, 7, 7]
    assert caplog.messages == ["mine: no example has the class 1, 2, 4, 6"]


def test_nothing_is_held_out_only_where_no_label_is_known() -> None:
    images, names = np.zeros((3, 8, 8, 1), np.uint8), ("000", "001", "002")
    nothing = ExampleSet((), images[:0], np.zeros(0, np.int32))
    unlabelled = ExampleSet(names, images, np.full(3, UNLABELLED, np.int32))
    assert len(Dataset("mine", unlabelled, nothing, ("a", "b")).test) == 0
    labelled = ExampleSet(names, images, np.array([UNLABELLED, 0, 1], np.int32))
    with pytest.raises(DataError, match="the test split of dataset 'mine' is empty"):
        Dataset("mine", labelled, nothing, ("a", "b"))
