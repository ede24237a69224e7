"""Parts of a dataset: disjoint, stable under growth, the same for everyone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.part import Part


def test_parts_are_disjoint_and_together_everything() -> None:
    whole = load_dataset("digits")
    parts = [load_dataset("digits", part=f"{number}/3") for number in (1, 2, 3)]
    for split in ("train", "test"):
        ids = [id_ for part in parts for id_ in getattr(part, split).ids]
        assert sorted(ids) == sorted(getattr(whole, split).ids)
        sizes = [len(getattr(part, split)) for part in parts]
        assert min(sizes) > 0.7 * len(getattr(whole, split)) / 3


def test_examples_and_labels_stay_with_their_ids() -> None:
    whole, half = load_dataset("digits"), load_dataset("digits", part="1/2")
    ids = half.train.ids
    assert np.array_equal(half.train.examples_of(ids), whole.train.examples_of(ids))
    assert np.array_equal(half.train.labels, whole.train.labels_of(ids))
    assert half.class_names == whole.class_names
    assert half.name == "digits (1/2)"


def test_where_an_example_belongs_depends_on_its_id_alone() -> None:
    assert [Part(1, 2).has(id_) for id_ in ("train-00000", "a.png", "a.png")] == [
        False,
        True,
        True,
    ]
    whole = load_dataset("digits")
    fewer = dataclasses.replace(whole, train=whole.train.part(np.arange(100)))
    of_fewer, of_whole = Part(2, 2).of(fewer), Part(2, 2).of(whole)
    assert set(of_fewer.train.ids) == set(of_whole.train.ids) & set(fewer.train.ids)


@pytest.mark.parametrize("text", ["1", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--part is .*expected I/N"):
        load_dataset("digits", part=text)


def test_a_bad_part_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--part"):
        load_dataset(f"folder:{tmp_path / 'missing'}", part="2")


def test_an_empty_part_is_refused() -> None:
    vectors = np.zeros((2, 3), np.float32)
    few = Dataset.from_arrays(
        vectors, [0, 1], test_examples=vectors, test_labels=[0, 1], class_names=("a", "b")
    )
    empty = next(n for n in range(1, 50) if not any(Part(n, 50).has(id_) for id_ in few.train.ids))
    with pytest.raises(DataError, match=r"none of the 2 examples of the training set"):
        Part(empty, 50).of(few)


def test_what_is_drawn_for_testing_stays_when_labels_have_come(tmp_path: Path) -> None:
    labels = np.concatenate([np.repeat([0, 1], 60), np.repeat(range(2, 8), 6)]).astype(np.int32)
    np.save(tmp_path / "train_labels.npy", labels)
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 4, 4, 1))
    np.save(tmp_path / "train_images.npy", images.astype(np.uint8))
    for seed in range(6):  # in half of them a class had its one held-out image in the other part
        first = load_dataset(f"arrays:{tmp_path}", part="1/2", seed=seed)
        train, test = (
            dict(zip(part.ids, part.digests().tolist(), strict=True))
            for part in (first.train, first.test)
        )
        labelled = {id_: train[id_] for id_ in first.train.ids[::2]}
        again = load_dataset(
            f"arrays:{tmp_path}", part="1/2", seed=seed, earlier=EarlierSplit(test, labelled)
        )
        assert again.test.ids == first.test.ids
        assert again.train.ids == first.train.ids
