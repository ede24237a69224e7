"""Tasks of a few classes, and test sets of another dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.class_subset import ClassSubset
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset


def test_of_digits_two_classes_are_left_in_the_order_asked_for() -> None:
    whole, pair = load_dataset("digits"), load_dataset("digits", classes="7,5")
    assert pair.class_names == ("7", "5")
    for before, after in ((whole.train, pair.train), (whole.test, pair.test)):
        assert after.ids == tuple(
            id_ for id_, label in zip(before.ids, before.labels, strict=True) if label in (5, 7)
        )
        np.testing.assert_array_equal(after.examples[:], before.examples_of(after.ids))
        np.testing.assert_array_equal(after.labels, (before.labels_of(after.ids) == 5))
    assert "2 of 10 classes are used" in pair.intake.notes
    assert pair.name == "digits (7,5)"


@pytest.mark.parametrize("text", ["5", "", "5,5", "5,,7", "5,"])
def test_what_are_no_two_classes_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected two or more different names"):
        ClassSubset.parse(text)


def test_a_class_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="names 'cat', which is no class of the"):
        load_dataset("digits", classes="5,cat")


def test_examples_without_a_label_cannot_be_chosen_by_class() -> None:
    images = np.zeros((3, 4, 4), np.uint8)
    data = Dataset.from_arrays(images, [0, 1, -1], test_examples=images[:2], test_labels=[0, 1])
    with pytest.raises(ConfigError, match=r"1 of the 3 examples of the training set .* no label"):
        ClassSubset(("0", "1")).of(data)


@pytest.fixture
def other(tmp_path: Path) -> str:
    """Images of 16 pixels a side, of other classes, too, in another order."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        np.save(tmp_path / f"{split}_images.npy", rng.integers(0, 256, (6, 16, 16), np.uint8))
        np.save(tmp_path / f"{split}_labels.npy", np.array([0, 1, 2, 0, 1, 2]))
    (tmp_path / "classes.txt").write_text("7\ncat\n5\n")
    return f"arrays:{tmp_path}"


def test_the_test_set_of_another_dataset_takes_the_place(other: str) -> None:
    alone = load_dataset("digits", classes="5,7")
    data = load_dataset("digits", classes="5,7", test_dataset=other)
    assert data.train.ids == alone.train.ids
    assert data.shape == (8, 8, 1)
    assert data.test.labels.tolist() == [1, 0, 1, 0]  # 7, 5, 7, 5
    resized = load_dataset(other, image_size=8)
    np.testing.assert_array_equal(data.test.examples[:], resized.test.examples[:][[0, 2, 3, 5]])
    assert any("tested on 4 of 6 test examples of" in note for note in data.intake.notes)


def test_a_test_set_that_does_not_fit_is_refused(other: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no test example of any class of"):
        load_dataset("digits", classes="1,2", test_dataset=other)
    folder = tmp_path / "colour"
    folder.mkdir()
    for split in ("train", "test"):
        np.save(folder / f"{split}_images.npy", np.zeros((4, 8, 8, 3), np.uint8))
        np.save(folder / f"{split}_labels.npy", np.array([0, 1, 0, 1]))
    with pytest.raises(ConfigError, match=r"examples of \[8, 8, 3\], and dataset .* \[8, 8, 1\]"):
        load_dataset("digits", test_dataset=f"arrays:{folder}")
