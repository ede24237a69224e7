"""Rows by what they are made of: what a crash leaves behind, and what is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.embeddings.rows import DigestedRows

DIGESTS = np.array([7, 2**63, 5, 9], np.uint64)
ROWS = np.arange(12, dtype=np.float16).reshape(4, 3)


@pytest.fixture
def rows(tmp_path: Path) -> DigestedRows:
    return DigestedRows(tmp_path, "features", (3,), "float16")


def test_rows_are_found_by_digest(rows: DigestedRows) -> None:
    assert rows.find(DIGESTS).tolist() == [-1] * 4
    assert rows.array().shape == (0, 3)
    rows.append(DIGESTS[:2], ROWS[:2])
    rows.append(DIGESTS[2:], ROWS[2:])
    wanted = np.array([5, 6, 2**63, 5], np.uint64)
    assert rows.find(wanted).tolist() == [2, -1, 1, 2]
    np.testing.assert_array_equal(rows.array(), ROWS)


def test_what_a_crash_left_behind_is_written_over(rows: DigestedRows, tmp_path: Path) -> None:
    rows.append(DIGESTS[:2], ROWS[:2])
    # The rows were written, and of the digests the first and a part of the second.
    with (tmp_path / "features.rows").open("ab") as file:
        file.write(ROWS[2:].tobytes())
    with (tmp_path / "features.digests").open("ab") as file:
        file.write(DIGESTS[2:].tobytes()[:11])
    assert rows.find(DIGESTS).tolist() == [0, 1, 2, -1]
    rows.append(DIGESTS[3:], ROWS[3:])
    np.testing.assert_array_equal(rows.array(), ROWS)
    assert rows.find(DIGESTS).tolist() == [0, 1, 2, 3]


def test_rows_that_are_gone_are_refused(rows: DigestedRows, tmp_path: Path) -> None:
    rows.append(DIGESTS, ROWS)
    (tmp_path / "features.rows").write_bytes(ROWS.tobytes()[:-1])
    message = r"features\.rows is cut short: 23 bytes instead of 24"
    with pytest.raises(DataError, match=message):
        rows.array()
    with pytest.raises(DataError, match=message):
        rows.append(DIGESTS, ROWS)


def test_other_rows_are_a_mistake(rows: DigestedRows) -> None:
    for wrong in (ROWS[:3], ROWS.astype(np.float32), ROWS[:, :2]):
        with pytest.raises(ValueError, match="rows are"):
            rows.append(DIGESTS, wrong)
    assert len(rows) == 0
