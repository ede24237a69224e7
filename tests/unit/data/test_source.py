from __future__ import annotations

import numpy as np
import pytest

from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.images.resize import resize
from bgadl_tf.data.images.resized import Resized
from bgadl_tf.data.source import ExampleSource, Subset, gather, is_in_memory, kind, part_of
from bgadl_tf.data.vectors import StoredVectors
from tests.support.examples import RecordedImages, some_images, some_labels

IMAGES = some_images(20)


def test_each_image_is_read_once_and_from_front_to_back() -> None:
    source, rows = RecordedImages(IMAGES), np.array([7, 2, 2, 19, 7])
    np.testing.assert_array_equal(gather(source, rows), IMAGES[rows])
    assert source.asked == [[2, 7, 19]]


def test_a_subset_has_rows_of_its_own_and_reads_nothing_before_it_is_asked() -> None:
    source, rows = RecordedImages(IMAGES), np.array([5, 3, 9, 11])
    subset = Subset(Subset(source, np.arange(1, 20)), rows - 1)
    assert (len(subset), subset.shape, subset.ndim) == (4, (4, 8, 8, 1), 4)
    assert source.asked == []
    np.testing.assert_array_equal(subset[1:3], IMAGES[[3, 9]])
    np.testing.assert_array_equal(subset[np.array([3, 0])], IMAGES[[11, 5]])
    assert source.asked == [[3, 9], [5, 11]]


def test_rows_that_do_not_exist_are_refused() -> None:
    for rows in ([0, 4], [-1, 2]):
        with pytest.raises(IndexError, match=f"rows go from {rows[0]} to {rows[1]} of 4 images"):
            Subset(IMAGES, np.arange(4))[np.array(rows)]


def test_a_source_has_the_type_of_its_examples() -> None:
    vectors = np.ones((4, 3), np.float32)
    stored = StoredVectors(vectors, ("a", "b", "c", "d"))
    for source, name, dtype, ndim in (
        (stored, "vectors", np.float32, 2),
        (IMAGES, "images", np.uint8, 4),
    ):
        subset = Subset(source, np.array([3, 1]))
        assert (kind(subset), subset.dtype, subset.ndim) == (name, dtype, ndim)
        assert subset[:].dtype == dtype
    with pytest.raises(IndexError, match="rows go from 1 to 2 of 2 vectors"):
        Subset(stored, np.array([3, 1]))[np.array([1, 2])]


def test_images_are_resized_as_they_are_read() -> None:
    source = RecordedImages(IMAGES)
    resized = Resized(source, 12)
    assert resized.shape == (20, 12, 12, 1)
    np.testing.assert_array_equal(resized[3:5], resize(IMAGES, 12)[3:5])
    assert source.asked == [[3, 4]]


def test_a_part_is_copied_from_memory_only() -> None:
    rows = np.array([1, 4])
    assert is_in_memory(part_of(IMAGES, rows))
    source = RecordedImages(IMAGES)
    part = part_of(source, rows)
    assert not is_in_memory(part)
    assert source.asked == []
    np.testing.assert_array_equal(part[:], IMAGES[rows])


def test_a_set_of_stored_images() -> None:
    source: ExampleSource = RecordedImages(IMAGES)
    ids = tuple(f"{row:02}" for row in range(20))
    images = ExampleSet(ids, source, some_labels(20))
    np.testing.assert_array_equal(images.examples_of(["07", "03"]), IMAGES[[7, 3]])
    candidates = images.source_of(["07", "03"])
    np.testing.assert_array_equal(candidates[:1], IMAGES[[7]])
    copied = images.in_memory()
    assert is_in_memory(copied.examples)
    assert copied.in_memory() is copied
    np.testing.assert_array_equal(copied.examples, IMAGES)
    assert copied.ids == ids
