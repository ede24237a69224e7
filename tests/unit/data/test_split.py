from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data import split
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.example_set import ExampleSet
from tests.support.examples import some_images


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


def drawn(labels: list[int], held_out: set[str] | None = None, seed: int = 0) -> split.Drawn:
    earlier = None if held_out is None else EarlierSplit(dict.fromkeys(held_out, 1), {})
    return split.draw(image_set(labels), ("a", "b", "c"), seed, earlier)


def test_a_draw_is_that_of_the_quotas() -> None:
    labels = [0] * 10 + [1] * 20 + [2] * 5 + [UNLABELLED] * 5
    images = image_set(labels)
    quotas = split.fraction_quotas(images.labels, 3)
    expected = split.hold_out(images, quotas, ("a", "b", "c"), seed=3)
    found = drawn(labels, seed=3)
    assert (found.train.ids, found.test.ids) == tuple(part.ids for part in expected)
    assert found.held_out == "a fifth of every class, drawn by seed 3"
    assert found.notes == ()


def test_a_class_with_one_example_gives_none_and_that_is_told() -> None:
    found = drawn([0] * 10 + [1] + [2])
    assert found.test.labels.tolist() == [0, 0]
    assert found.notes == ("classes with only one labelled example, which is not held out: b, c",)


def test_where_no_class_has_two_nothing_can_be_held_out() -> None:
    with pytest.raises(DataError, match="no class has 2 examples with a label"):
        drawn([0, 1, 2, UNLABELLED])


def test_without_labels_nothing_is_held_out() -> None:
    found = drawn([UNLABELLED] * 4)
    assert (len(found.train), len(found.test)) == (4, 0)
    assert found.held_out == "nothing, as no label is known"


def test_what_was_held_out_before_is_held_out_again_as_far_as_it_is_there() -> None:
    before = {"001", "002", "011", "gone", "021"}
    found = drawn([0] * 10 + [1] * 10 + [UNLABELLED] * 3, before, seed=5)
    assert found.test.ids == ("001", "002", "011")
    assert len(found.train) == 20
    assert found.held_out == "what was held out before, and a fifth of new classes"


def test_a_class_that_is_new_gives_a_fifth_beside_what_was_held_out_before() -> None:
    labels = [0] * 10 + [1] * 10 + [2] * 10
    found = drawn(labels, {"001", "012"}, seed=5)
    assert [id_ for id_ in found.test.ids if id_ < "020"] == ["001", "012"]
    assert [id_ for id_ in found.test.ids if id_ >= "020"] == [
        id_ for id_ in drawn(labels, seed=5).test.ids if id_ >= "020"
    ]
    assert len(found.test) == 4


def test_labels_that_come_later_are_held_out_from_then_on() -> None:
    assert len(drawn([0] * 5 + [1] * 5 + [UNLABELLED], set()).test) == 2


def test_what_was_held_out_is_known_by_its_contents_under_another_name() -> None:
    images = replace(image_set([0] * 10 + [1] * 10), examples=some_images(20))
    digests = images.digests().tolist()
    earlier = EarlierSplit({"old/1": digests[1], "old/12": digests[12]}, {})
    assert split.draw(images, ("a", "b"), 0, earlier).test.ids == ("001", "012")


def test_what_is_labelled_is_never_held_out_later() -> None:
    images = replace(image_set([0] * 10), examples=some_images(10))
    digests = images.digests().tolist()
    labelled = {f"{row:03}": digests[row] for row in range(5)}
    renamed = {f"old/{row}": digests[row] for row in range(5, 8)}
    for seed in range(10):
        held = split.draw(images, ("a",), seed, EarlierSplit({}, {**labelled, **renamed})).test
        assert len(held) == 1
        assert {*held.ids} <= {"008", "009"}
