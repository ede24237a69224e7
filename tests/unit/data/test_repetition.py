"""Copies of training examples under ids of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.repetition import Repetition


def vectors_called(*ids: str) -> Dataset:
    vectors = np.arange(2 * len(ids), dtype=np.float32).reshape(-1, 2)
    return Dataset.from_arrays(
        vectors, np.arange(len(ids)) % 2, test_examples=vectors[:2], test_labels=[0, 1],
        train_ids=ids,
    )  # fmt: skip


def test_each_example_is_there_three_times() -> None:
    once, thrice = load_dataset("digits"), load_dataset("digits", repeated=3)
    count = len(once.train)
    first = once.train.ids[0]
    assert thrice.train.ids[:count] == once.train.ids
    assert thrice.train.ids[count] == f"{first}#2"
    assert thrice.train.ids[2 * count] == f"{first}#3"
    images = np.tile(once.train.examples, (3, 1, 1, 1))
    np.testing.assert_array_equal(thrice.train.examples[:], images)
    np.testing.assert_array_equal(thrice.train.labels, np.tile(once.train.labels, 3))
    np.testing.assert_array_equal(thrice.train.digests(), np.tile(once.train.digests(), 3))
    assert thrice.test.ids == once.test.ids
    assert thrice.name == "digits (repeated 3)"


def test_a_share_is_there_twice() -> None:
    once, more = load_dataset("digits"), load_dataset("digits", repeated=0.25)
    copies = more.train.ids[len(once.train) :]
    assert 0.2 < len(copies) / len(once.train) < 0.3
    assert all(copy.removesuffix("#2") in once.train for copy in copies)
    np.testing.assert_array_equal(
        more.train.examples_of(copies),
        once.train.examples_of([copy.removesuffix("#2") for copy in copies]),
    )


def test_it_comes_after_the_part_and_the_imbalance() -> None:
    settings = {"part": "1/2", "imbalance": "step", "imbalance_ratio": 5.0}
    once = load_dataset("digits", **settings)  # type: ignore[arg-type]
    twice = load_dataset("digits", **settings, repeated=2)  # type: ignore[arg-type]
    assert twice.train.ids == once.train.ids + tuple(f"{id_}#2" for id_ in once.train.ids)


def test_nothing_is_read_before_it_is_needed(tmp_path: Path) -> None:
    np.save(tmp_path / "train_embeddings.npy", np.random.default_rng(0).normal(size=(40, 3)))
    np.save(tmp_path / "train_labels.npy", np.arange(40) % 2)
    once = load_dataset(f"embeddings:{tmp_path}")
    twice = load_dataset(f"embeddings:{tmp_path}", repeated=2)
    assert not isinstance(twice.train.examples, np.ndarray)
    np.testing.assert_array_equal(twice.train.examples[:], np.tile(once.train.examples[:], (2, 1)))


def test_views_and_images_of_copies() -> None:
    data = vectors_called("a", "b", "c")
    views = np.stack([data.train.examples[:]] * 2, 1)
    asked: list[list[str]] = []

    def images(ids: object) -> np.ndarray:
        asked.append([*ids])  # type: ignore[call-overload]
        return np.zeros((len(asked[-1]), 8, 8, 1), np.uint8)

    embedded = Embedded(Path(), "", (8, 8, 1), "stretch", "float32", images)
    train = dataclasses.replace(data.train, views=views)
    twice = Repetition(2).of(dataclasses.replace(data, train=train, embedded=embedded))
    assert twice.train.views is not None
    np.testing.assert_array_equal(twice.train.views[:], np.tile(views, (2, 1, 1)))
    assert twice.embedded is not None
    twice.embedded.images(["c#2", "a", "b#2"])
    assert asked == [["c", "a", "b"]]


def test_an_id_that_a_copy_would_have_is_refused() -> None:
    with pytest.raises(DataError, match=r"the id 'a#2' of a copy is that of an example"):
        Repetition(2).of(vectors_called("a", "a#2"))
    assert Repetition(2).of(vectors_called("a", "b#2")).train.ids[-1] == "b#2#2"


def test_what_is_held_out_stays_when_copies_have_been_labelled(tmp_path: Path) -> None:
    np.save(tmp_path / "train_embeddings.npy", np.random.default_rng(0).normal(size=(40, 3)))
    np.save(tmp_path / "train_labels.npy", np.arange(40) % 2)
    first = load_dataset(f"embeddings:{tmp_path}", repeated=2)
    test, train = (
        dict(zip(part.ids, part.digests().tolist(), strict=True))
        for part in (first.test, first.train)
    )
    labelled = {id_: train[id_] for id_ in first.train.ids[30:40]}
    again = load_dataset(f"embeddings:{tmp_path}", repeated=2, earlier=EarlierSplit(test, labelled))
    assert (again.train.ids, again.test.ids) == (first.train.ids, first.test.ids)


@pytest.mark.parametrize("times", [0, -1, 1.5, float("nan"), float("inf")])
def test_what_is_no_number_of_times_is_refused(times: float) -> None:
    with pytest.raises(ConfigError, match=r"--repeated is .*; expected how often"):
        load_dataset("folder:/nowhere", repeated=times)
