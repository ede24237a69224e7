from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds

from bgadl_tf.core.errors import DataError, StreamError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import tfds as tfds_loader
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.images.resize import MODES, resize
from bgadl_tf.data.loader import LoadRequest
from bgadl_tf.data.records import tfds_records
from bgadl_tf.data.source import is_in_memory
from tests.support.small_datasets import Rows, prepare

FIXED = tfds.features.Image(shape=(8, 9, 3))
CLASSES = tfds.features.ClassLabel(names=["cat", "dog"])


def rows(count: int, *, grow: int = 0, channels: int = 3, labels: int = 2) -> Rows:
    rng = np.random.default_rng(count)
    return [
        {
            "image": rng.integers(256, size=(8 + grow * (i % 3), 9, channels), dtype=np.uint8),
            "label": i % labels,
        }
        for i in range(count)
    ]


def load(
    data_dir: Path, name: str, size: int | None = None, seed: int = 0, stream: bool = False
) -> Dataset:
    return tfds_loader.load(LoadRequest(name, os.fspath(data_dir), size, seed, stream))


def test_splits_are_read_in_the_order_of_their_files(tmp_path: Path) -> None:
    train, test = rows(11), rows(4)
    features = {"image": FIXED, "label": CLASSES}
    prepare(tmp_path, "pets_here", features, {"train": train, "test": test}, shards=2)
    dataset = load(tmp_path, "pets_here")
    order = [*train[0::2], *train[1::2]]
    np.testing.assert_array_equal(dataset.train.examples, [row["image"] for row in order])
    np.testing.assert_array_equal(dataset.train.labels, [row["label"] for row in order])
    assert dataset.train.labels.dtype == np.int32
    assert dataset.train.ids[:2] == tuple(
        f"pets_here-train.tfrecord-00000-of-00002__{i}" for i in range(2)
    )
    assert dataset.train.ids[6] == "pets_here-train.tfrecord-00001-of-00002__0"
    assert len(dataset.test) == 4
    assert dataset.class_names == ("cat", "dog")


def test_records_read_directly_are_what_tfds_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = {"image": FIXED, "label": CLASSES}
    prepare(tmp_path, "pets_here", features, {"train": rows(11), "test": rows(4)}, shards=3)
    fast = load(tmp_path, "pets_here")
    monkeypatch.setattr(tfds_records, "_no_plain_records", lambda *_: "is in riegeli")
    slow = load(tmp_path, "pets_here")
    for ours, theirs in ((fast.train, slow.train), (fast.test, slow.test)):
        assert ours.ids == theirs.ids
        np.testing.assert_array_equal(ours.examples, theirs.examples)
        np.testing.assert_array_equal(ours.labels, theirs.labels)


def test_without_a_test_split_a_fifth_of_each_class_is_held_out(tmp_path: Path) -> None:
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, {"train": rows(40)})
    dataset = load(tmp_path, "pets_here", seed=1)
    assert np.bincount(dataset.test.labels).tolist() == [4, 4]
    assert not set(dataset.train.ids) & set(dataset.test.ids)
    assert load(tmp_path, "pets_here", seed=1).test.ids == dataset.test.ids
    assert load(tmp_path, "pets_here", seed=2).test.ids != dataset.test.ids


def test_mixed_sizes_need_an_image_size(tmp_path: Path) -> None:
    image = tfds.features.Image(shape=(None, None, 3))
    prepare(tmp_path, "mixed_here", {"image": image, "label": CLASSES}, {"train": rows(12, grow=1)})
    with pytest.raises(DataError, match=r"__0 is \[8, 9, 3\].*__1 is \[9, 9, 3\].*--image-size"):
        load(tmp_path, "mixed_here")
    dataset = load(tmp_path, "mixed_here", size=16)
    assert dataset.shape == (16, 16, 3)
    assert len(dataset.train) + len(dataset.test) == 12


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("grow", [0, 1])
def test_images_are_resized_as_they_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grow: int, mode: str
) -> None:
    shape = (None, None, 3) if grow else (8, 9, 3)
    features = {"image": tfds.features.Image(shape=shape), "label": CLASSES}
    given = rows(12, grow=grow)
    prepare(tmp_path, "mixed_here", features, {"train": given, "test": given})
    request = LoadRequest("mixed_here", os.fspath(tmp_path), 16, resize=mode)
    fast = tfds_loader.load(request)
    monkeypatch.setattr(tfds_records, "_no_plain_records", lambda *_: "is in riegeli")
    slow = tfds_loader.load(request)
    for row, example in enumerate(given):
        expected = resize(example["image"][np.newaxis], 16, mode)[0]
        for dataset in (fast, slow):
            for part in (dataset.train, dataset.test):
                np.testing.assert_array_equal(part.examples[row : row + 1][0], expected)


def test_integer_labels_number_their_classes(tmp_path: Path) -> None:
    features = {
        "image": tfds.features.Image(shape=(8, 9, 1)),
        "label": tfds.features.Scalar(np.int32),
    }
    prepare(tmp_path, "numbers_here", features, {"train": rows(12, channels=1, labels=3)})
    dataset = load(tmp_path, "numbers_here", size=8)
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.shape == (8, 8, 1)


HELD_OUT = "split '{}' is held out for testing, as there is no other with labels"
LEFT_OUT = "beside split '{}' used neither to train nor to test"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("splits", "train", "test", "notes", "left_out"),
    [
        (("train", "validation"), 12, 4, [HELD_OUT.format("validation")], {}),
        (("train", "val"), 12, 4, [HELD_OUT.format("val")], {}),
        (
            ("train", "test", "validation"),
            12,
            4,
            [],
            {"split 'validation' of 5 images": LEFT_OUT.format("test")},
        ),
        (
            ("train", "test", "unlabelled"),
            17,
            4,
            ["the 5 images of split 'unlabelled' join the pool, without their labels"],
            {},
        ),
        (
            ("train", "unsupervised"),
            14,
            2,
            ["the 4 images of split 'unsupervised' join the pool, without their labels"],
            {},
        ),
        (
            ("train", "test", "extra", "Training"),
            12,
            4,
            [],
            {
                "split 'extra' of 5 images": "a split of no known name",
                "split 'Training' of 6 images": "a split of no known name",
            },
        ),
    ],
)
def test_every_split_is_used_or_named(
    tmp_path: Path,
    splits: tuple[str, ...],
    train: int,
    test: int,
    notes: list[str],
    left_out: dict[str, str],
    stream: bool,
) -> None:
    sizes = zip(splits, (12, 4, 5, 6), strict=False)
    parts = {name: rows(size) for name, size in sizes}
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, parts)
    dataset = load(tmp_path, "pets_here", stream=stream)
    assert (len(dataset.train), len(dataset.test)) == (train, test)
    assert list(dataset.intake.notes) == notes
    assert dataset.intake.left_out == left_out
    pool = [id_ for id_ in dataset.train.ids if "-train." not in id_]
    assert {*pool} == {
        id_
        for id_, label in zip(dataset.train.ids, dataset.train.labels, strict=True)
        if label == UNLABELLED
    }


def test_a_test_split_without_labels_tests_nothing(tmp_path: Path) -> None:
    labels = tfds.features.Scalar(np.int64)
    hidden = [{**row, "label": -1} for row in rows(4)]
    splits = {"train": rows(12), "test": hidden, "validation": rows(5)}
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": labels}, splits)
    dataset = load(tmp_path, "pets_here")
    assert len(dataset.test) == 5
    assert dataset.intake.notes == (HELD_OUT.format("validation"),)
    assert dataset.intake.left_out == {
        "split 'test' of 4 images": "no image of this split has a label"
    }


def test_a_pool_of_another_size_needs_an_image_size(tmp_path: Path) -> None:
    image = tfds.features.Image(shape=(None, None, 3))
    larger = [{"image": np.zeros((9, 9, 3), np.uint8), "label": 0}] * 3
    splits = {"train": rows(12), "unlabelled": larger}
    prepare(tmp_path, "pets_here", {"image": image, "label": CLASSES}, splits)
    message = r"'train' are \[8, 9, 3\], of split 'unlabelled' \[9, 9, 3\]; .*--image-size"
    with pytest.raises(DataError, match=message):
        load(tmp_path, "pets_here")
    assert len(load(tmp_path, "pets_here", size=8).train) == 13


def test_what_was_held_out_before_is_held_out_again(tmp_path: Path) -> None:
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, {"train": rows(20)})
    before = load(tmp_path, "pets_here", seed=1).test.ids
    earlier = EarlierSplit(dict.fromkeys(before, 0), {})
    request = LoadRequest("pets_here", os.fspath(tmp_path), seed=2, earlier=earlier)
    assert tfds_loader.load(request).test.ids == before


def test_contents_do_not_depend_on_how_images_are_read(tmp_path: Path) -> None:
    twice = rows(11)
    twice[7] = {"image": twice[2]["image"], "label": 1 - twice[2]["label"]}
    splits = {"train": twice, "test": rows(4)}
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, splits, shards=3)
    digests = [
        (dataset.train.digests().tolist(), dataset.test.digests().tolist())
        for dataset in (
            load(tmp_path, "pets_here"),
            load(tmp_path, "pets_here", stream=True),
            load(tmp_path, "pets_here", size=12, stream=True),
        )
    ]
    assert digests[0] == digests[1] == digests[2]
    (train, test), *_ = digests
    assert len({*train, *test}) == 10 + 4
    whole = load(tmp_path, "pets_here", stream=True).train
    shuffled = np.array([9, 0, 5, 0])
    assert whole.known_by.digests(shuffled).tolist() == [train[row] for row in shuffled]


def test_stamps_tell_which_file_was_written_anew(tmp_path: Path) -> None:
    splits = {"train": rows(11), "test": rows(4)}
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, splits, shards=2)
    train = load(tmp_path, "pets_here", stream=True).train
    every = np.arange(11)
    before = train.known_by.stamps(every)
    record = next(tmp_path.glob("*/*/*-train.tfrecord-00001-*"))
    os.utime(record, (1, 1))
    after = train.known_by.stamps(every)
    assert before is not None
    assert after is not None
    assert (before == after).tolist() == [True] * 6 + [False] * 5
    record.unlink()
    with pytest.raises(DataError, match="is gone"):
        train.known_by.stamps(every)
    with pytest.raises(DataError, match="cannot read records in"):
        train.digests()


@pytest.mark.parametrize(
    ("features", "row", "message"),
    [
        ({"picture": FIXED, "label": CLASSES}, {"picture": 0, "label": 0}, "features label, pict"),
        (
            {"image": FIXED, "label": tfds.features.Text()},
            {"image": 0, "label": "cat"},
            "'label' of dataset 'odd_here'",
        ),
        (
            {"image": FIXED, "label": tfds.features.Tensor(shape=(2,), dtype=np.int64)},
            {"image": 0, "label": np.zeros(2, np.int64)},
            "'label' of dataset 'odd_here'",
        ),
        (
            {"image": tfds.features.Tensor(shape=(8, 9, 3), dtype=np.uint8), "label": CLASSES},
            {"image": 0, "label": 0},
            "'image' of dataset 'odd_here'",
        ),
    ],
)
def test_features_that_do_not_fit_are_refused(
    tmp_path: Path, features: dict[str, Any], row: dict[str, Any], message: str
) -> None:
    pixels = np.zeros((8, 9, 3), np.uint8)
    row = {name: pixels if name in ("image", "picture") else value for name, value in row.items()}
    prepare(tmp_path, "odd_here", features, {"train": [row]})
    with pytest.raises(DataError, match=message):
        load(tmp_path, "odd_here")


def test_a_dataset_without_a_train_split_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, {"all": rows(4)})
    with pytest.raises(DataError, match="no split 'train'; its splits: all"):
        load(tmp_path, "pets_here")


def test_damaged_files_are_one_clear_error(tmp_path: Path) -> None:
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, {"train": rows(12)})
    (record,) = tmp_path.glob("*/*/*.tfrecord-*")
    content = record.read_bytes()
    record.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cannot read the train split of dataset 'pets_here' in "):
        load(tmp_path, "pets_here")
    record.unlink()
    with pytest.raises(DataError, match=r"cannot read the train split of dataset 'pets_here' in "):
        load(tmp_path, "pets_here")


# Streamed


@pytest.mark.parametrize("size", [None, 8, 12])
@pytest.mark.parametrize("grow", [0, 1])
@pytest.mark.parametrize("encoding", ["png", "jpeg"])
def test_streamed_images_are_what_is_read_at_once(
    tmp_path: Path, size: int | None, grow: int, encoding: str
) -> None:
    shape = (None, None, 3) if grow else (8, 9, 3)
    if grow and size is None:
        grow = 0  # sizes that nobody has written down, but that are one
    image = tfds.features.Image(shape=shape, encoding_format=encoding)
    splits = {"train": rows(11, grow=grow), "test": rows(4, grow=grow)}
    prepare(tmp_path, "pets_here", {"image": image, "label": CLASSES}, splits, shards=3)
    streamed, whole = (load(tmp_path, "pets_here", size, stream=s) for s in (True, False))
    assert not is_in_memory(streamed.train.examples)
    assert is_in_memory(streamed.test.examples)
    assert streamed.train.ids == whole.train.ids
    np.testing.assert_array_equal(streamed.train.labels, whole.train.labels)
    np.testing.assert_array_equal(streamed.train.examples[:], whole.train.examples[:])
    mixed = np.array([10, 0, 4, 5, 0, 3])
    np.testing.assert_array_equal(streamed.train.examples[mixed], whole.train.examples[mixed])
    np.testing.assert_array_equal(streamed.test.examples, whole.test.examples)


def test_mixed_sizes_are_found_before_anything_is_decoded(tmp_path: Path) -> None:
    image = tfds.features.Image(shape=(None, None, 3))
    prepare(tmp_path, "mixed_here", {"image": image, "label": CLASSES}, {"train": rows(12, grow=1)})
    with pytest.raises(DataError, match=r"__0 is \[8, 9, 3\].*__1 is \[9, 9, 3\].*--image-size"):
        load(tmp_path, "mixed_here", stream=True)


def test_files_that_change_under_a_stream_are_one_clear_error(tmp_path: Path) -> None:
    splits = {"train": rows(12), "test": rows(4)}
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, splits)
    images = load(tmp_path, "pets_here", stream=True).train.examples
    (record,) = tmp_path.glob("*/*/*-train.tfrecord-*")
    content = record.read_bytes()
    record.write_bytes(content[: len(content) // 2])
    assert images[:2].shape == (2, 8, 9, 3)
    where = r"of 12 examples cannot be read in .*/pets_here/1\.0\.0, the first of them "
    with pytest.raises(DataError, match=where + r".*-00000-of-00001__[5-7]: .* is shorter than it"):
        images[:]
    place = content.index(b"IDAT") + 8
    record.write_bytes(content[:place] + b"junk" + content[place + 4 :])
    with pytest.raises(DataError, match=r"1 of 12 examples .*__0: "):
        images[:]


def test_only_records_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, {"train": rows(40)})
    monkeypatch.setattr(tfds_records, "_no_plain_records", lambda *_: "is in riegeli")
    with pytest.raises(StreamError, match=r"'pets_here' is in riegeli, and --stream .*; leave"):
        load(tmp_path, "pets_here", stream=True)


def test_why_files_are_no_plain_records(tmp_path: Path) -> None:
    any_channels = {"image": tfds.features.Image(shape=(8, 9, None)), "label": CLASSES}
    prepare(tmp_path, "odd_here", any_channels, {"train": rows(4)})
    with pytest.raises(StreamError, match="any number of channels"):
        load(tmp_path, "odd_here", stream=True)
    prepare(tmp_path, "pets_here", {"image": FIXED, "label": CLASSES}, {"train": rows(4)})
    (record,) = tmp_path.glob("pets_here/*/*-train.tfrecord-*")
    record.unlink()
    with pytest.raises(StreamError, match=f"misses {record.name}"):
        load(tmp_path, "pets_here", stream=True)


def test_an_unknown_name_lists_the_embedded_dataset_and_close_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"called 'mnits'.*'digits'.*TFDS has mnist"):
        load(tmp_path, "mnits")
    with pytest.raises(DataError, match="cannot open dataset"):
        load(tmp_path, "mnist/no_such_config")
    with pytest.raises(DataError, match="needs a builder's name"):
        load(tmp_path, "")


def test_a_failed_download_says_where_the_data_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route to host\nand much more")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    message = rf"not prepared in {tmp_path}/mnist/3\.0\.1 .*: no route to host; --data-dir names"
    with pytest.raises(DataError, match=message):
        load(tmp_path, "mnist")


def test_features_are_checked_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", _must_not_run)
    with pytest.raises(DataError, match="features label, text"):
        load(tmp_path, "imdb_reviews")


@pytest.mark.real_data
def test_mnist(shared_tfds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", _must_not_run)
    dataset = load(shared_tfds, "mnist")
    assert (len(dataset.train), len(dataset.test)) == (60_000, 10_000)
    assert dataset.shape == (28, 28, 1)
    assert dataset.train.labels[:5].tolist() == [4, 1, 0, 7, 8]
    assert np.bincount(dataset.test.labels).tolist() == MNIST_TEST_COUNTS


@pytest.mark.real_data
def test_cifar10_has_the_sizes_its_folder_records(shared_tfds: Path) -> None:
    dataset = load(shared_tfds, "cifar10", size=16)
    info = tfds.builder("cifar10", data_dir=shared_tfds).info
    sizes = {name: split.num_examples for name, split in info.splits.items()}
    assert {"train": len(dataset.train), "test": len(dataset.test)} == sizes
    assert dataset.class_names[3] == "cat"
    assert dataset.shape == (16, 16, 3)


MNIST_TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def _must_not_run(*_: object, **__: object) -> None:
    raise AssertionError("a prepared dataset is not downloaded")
