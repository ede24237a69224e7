"""Which examples are labelled from the start."""

from __future__ import annotations

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.loop.initial_set import initial_ids
from tests.support.examples import some_images


def image_set(labels: list[int]) -> ExampleSet:
    ids = tuple(f"image-{number}" for number in range(len(labels)))
    return ExampleSet(ids, some_images(len(labels)), np.array(labels, np.int32))


def labels_of_initial(labels: list[int], size: int | None, seed: int = 0) -> list[int]:
    images = image_set(labels)
    ids = initial_ids(images, 3, size, np.random.default_rng(seed))
    assert len(set(ids)) == len(ids)
    return images.labels_of(ids).tolist()


def test_classes_are_as_equal_as_they_can_be() -> None:
    labels = [0] * 50 + [1] * 30 + [2] * 2
    chosen = labels_of_initial(labels, 12)
    assert [chosen.count(label) for label in range(3)] == [5, 5, 2]


def test_the_seed_decides_which() -> None:
    images = image_set([0, 1, 2] * 20)
    first, again, other = (
        initial_ids(images, 3, 6, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert first == again != other


def test_the_default_is_ten_a_class_or_all_that_is_labelled() -> None:
    assert len(labels_of_initial([0, 1, 2] * 20, None)) == 30
    assert len(labels_of_initial([0, 1, 2] * 20 + [-1] * 5, None)) == 60
    assert -1 not in labels_of_initial([0, 1, 2, -1] * 20, 9)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError, match="only 3 training examples have a label"):
        labels_of_initial([0, 1, 2, -1], 4)
    with pytest.raises(ConfigError, match="only 2 training examples are left"):
        labels_of_initial([-1, -1], 3)


def test_where_nothing_is_labelled_it_may_be_any() -> None:
    assert labels_of_initial([-1] * 50, None) == [-1] * 30
    assert labels_of_initial([-1] * 50, 4) == [-1] * 4


def test_what_is_taken_is_out_of_the_question() -> None:
    images = image_set([0, 1, 2] * 4)
    rng = np.random.default_rng(0)
    chosen = initial_ids(images, 3, 6, rng, taken=lambda id_: int(id_.removeprefix("image-")) < 6)
    assert chosen == images.ids[6:]
