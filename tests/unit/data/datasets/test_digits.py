from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.datasets import digits
from bgadl_tf.data.loader import LoadRequest

FIRST_TEST_IDS = ("digits-0006", "digits-0009", "digits-0014", "digits-0021")


def load(size: int | None = None, seed: int = 0) -> Dataset:
    return digits.load(LoadRequest(image_size=size, seed=seed))


def test_sizes_names_and_ids() -> None:
    dataset = load()
    assert (len(dataset.train), len(dataset.test)) == (1300, 497)
    assert dataset.shape == (8, 8, 1)
    assert dataset.class_names == tuple("0123456789")
    everything = {*dataset.train.ids, *dataset.test.ids}
    assert everything == {f"digits-{row:04d}" for row in range(1797)}


def test_pixels_and_labels_are_those_of_the_id() -> None:
    bunch = sklearn.datasets.load_digits()
    dataset = load()
    for part in (dataset.train, dataset.test):
        rows = [int(id_.removeprefix("digits-")) for id_ in part.ids]
        expected = np.floor(bunch.images[rows] * 255 / 16 + 0.5)
        np.testing.assert_array_equal(part.examples[..., 0], expected)
        np.testing.assert_array_equal(part.labels, bunch.target[rows])
    assert dataset.train.examples.max() == 255


def test_the_test_split_is_stratified_and_ignores_the_seed() -> None:
    dataset = load()
    assert load(seed=5).test.ids == dataset.test.ids
    whole = np.bincount(dataset.train.labels) + np.bincount(dataset.test.labels)
    assert (np.abs(np.bincount(dataset.test.labels) - whole * 497 / 1797) < 1).all()


def test_the_test_split_never_changes() -> None:
    """Another split would make results of different versions incomparable."""
    assert load().test.ids[:4] == FIRST_TEST_IDS


def test_image_size() -> None:
    assert load(size=16).shape == (16, 16, 1)


def test_an_argument_is_refused() -> None:
    with pytest.raises(DataError, match="takes no argument; got 'x'"):
        digits.load(LoadRequest("x"))
