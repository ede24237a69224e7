from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data import vectors
from bgadl_tf.data.source import is_in_memory
from tests.support.examples import some_labels

VECTORS = np.random.default_rng(0).normal(size=(20, 5))
IDS = tuple("abcdefghijklmnopqrst")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "CHUNK_BYTES", 3 * 5 * 4)


def mapped(path: Path, array: np.ndarray) -> np.ndarray:
    np.save(path / "vectors.npy", array)
    return np.load(path / "vectors.npy", mmap_mode="r")


def with_one(row: int, value: float) -> np.ndarray:
    changed = VECTORS.copy()
    changed[row, 2] = value
    return changed


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8"])
def test_any_floats_are_read_as_float32(tmp_path: Path, dtype: str) -> None:
    array = VECTORS.astype(dtype)
    stored = vectors.from_array(mapped(tmp_path, array), IDS)
    assert not is_in_memory(stored)
    assert (stored.shape, stored.ndim, stored.dtype, len(stored)) == ((20, 5), 2, np.float32, 20)
    for rows in ([], [3], [7, 7, 2], [*range(20)]):
        read = stored[np.array(rows, np.int64)]
        assert read.dtype == np.float32
        assert is_in_memory(read)
        np.testing.assert_array_equal(read, array[rows].astype(np.float32))
    np.testing.assert_array_equal(stored[15:], array[15:].astype(np.float32))


def test_in_memory_they_are_converted_once_and_copied_only_if_they_must_be() -> None:
    floats = VECTORS.astype(np.float32)
    assert vectors.from_array(floats, IDS) is floats
    converted = vectors.from_array(VECTORS, IDS)
    assert is_in_memory(converted)
    np.testing.assert_array_equal(converted[:], floats)


@pytest.mark.parametrize(("value", "told"), [(np.nan, "nan"), (-np.inf, "-inf"), (1e39, "inf")])
def test_what_is_not_finite_is_named_when_it_is_read(
    tmp_path: Path, value: float, told: str
) -> None:
    stored = vectors.from_array(mapped(tmp_path, with_one(10, value)), IDS)
    assert len(stored[:10]) == 10
    message = f"component 2 of vector 'k' is {told}; expected finite numbers that float32 can hold"
    for rows in ([10], [19, 10, 3], [*range(20)]):
        with pytest.raises(DataError, match=message):
            stored[np.array(rows)]
    with pytest.raises(DataError, match=message):
        vectors.from_array(with_one(10, value), IDS)


def test_vectors_in_memory_are_looked_at() -> None:
    vectors.check_finite(VECTORS.astype(np.float32), IDS)
    with pytest.raises(DataError, match="component 2 of vector 'k' is nan"):
        vectors.check_finite(with_one(10, np.nan).astype(np.float32), IDS)


def test_only_those_with_a_label_are_read_before_they_are_needed(tmp_path: Path) -> None:
    stored: Any = vectors.from_array(mapped(tmp_path, with_one(10, np.nan)), IDS)
    labels = some_labels(20)
    with pytest.raises(DataError, match="vector 'k' is nan"):
        vectors.check_labelled(stored, labels)
    labels[10] = -1
    vectors.check_labelled(stored, labels)
