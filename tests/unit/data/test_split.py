from __future__ import annotations

import numpy as np

from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data import split
from bgadl_tf.data.dataset import ExampleSet


def image_set(labels: list[int], first: int = 0) -> ExampleSet:
    ids = tuple(f"{first + row:03d}" for row in range(len(labels)))
    return ExampleSet(ids, np.zeros((len(ids), 8, 8, 1), np.uint8), np.array(labels, np.int32))


def test_a_fifth_is_held_out_and_one_at_least() -> None:
    labels = np.array([0] * 10 + [1] * 2 + [2] + [UNLABELLED] * 9, np.int32)
    assert split.fraction_quotas(labels, 4) == {0: 2, 1: 1, 2: 0, 3: 0}


def test_total_quotas_add_up_in_proportion() -> None:
    labels = np.array([0] * 10 + [1] * 10 + [2] * 11, np.int32)
    assert split.total_quotas(labels, 3, 10) == {0: 3, 1: 3, 2: 4}
    assert sum(split.total_quotas(labels, 3, 7).values()) == 7


def test_parts_keep_the_order_and_what_has_no_label_stays() -> None:
    images = image_set([0, 1, UNLABELLED] * 10)
    rest, held = split.hold_out(images, {0: 2, 1: 3}, ("a", "b"), seed=0)
    assert np.bincount(held.labels).tolist() == [2, 3]
    assert list(rest.ids) == sorted(rest.ids)
    assert list(held.ids) == sorted(held.ids)
    assert sorted((*rest.ids, *held.ids)) == list(images.ids)


def test_vectors_are_held_out_like_images() -> None:
    images = image_set([0, 1, UNLABELLED] * 10)
    vectors = np.arange(60, dtype=np.float32).reshape(30, 2)
    parts = split.hold_out(
        ExampleSet(images.ids, vectors, images.labels), {0: 2, 1: 3}, ("a", "b"), seed=0
    )
    of_images = split.hold_out(images, {0: 2, 1: 3}, ("a", "b"), seed=0)
    for part, expected in zip(parts, of_images, strict=True):
        assert part.ids == expected.ids
        np.testing.assert_array_equal(part.examples[:], vectors[[int(id_) for id_ in part.ids]])


def test_a_class_draws_the_same_whatever_the_other_classes_hold() -> None:
    few, many = image_set([0] * 20 + [1] * 5), image_set([0] * 20 + [1] * 50)
    held = [
        split.hold_out(images, {0: 4, 1: 2}, ("a", "b"), seed=3)[1].ids[:4]
        for images in (few, many)
    ]
    assert held[0] == held[1]
