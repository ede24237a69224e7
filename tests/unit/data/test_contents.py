"""The same data is recognised; what differs is told apart."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.contents import FileContents, JoinedContents, RowContents
from bgadl_tf.data.example_set import ExampleSet, join_sets

IMAGES = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2, 1)
ALL = np.arange(6, dtype=np.int64)


def test_rows_are_recognised_by_what_they_hold() -> None:
    digests = RowContents(IMAGES).digests(ALL)
    assert len(set(digests.tolist())) == 6
    changed = IMAGES.copy()
    changed[4, 1, 1] ^= 1
    assert (RowContents(changed).digests(ALL) != digests).tolist() == [r == 4 for r in range(6)]
    assert RowContents(IMAGES).stamps(ALL) is None


def test_files_are_recognised_wherever_they_are(tmp_path: Path) -> None:
    paths = []
    for number in range(600):
        path = tmp_path / f"{number}.png"
        path.write_bytes(bytes([number % 256, number // 256]))
        paths.append(str(path))
    rows = np.arange(600, dtype=np.int64)
    digests = FileContents(paths).digests(rows)
    assert len(set(digests.tolist())) == 600
    stamps = FileContents(paths).stamps(rows)
    assert stamps is not None
    (tmp_path / "elsewhere.png").write_bytes((tmp_path / "3.png").read_bytes())
    assert FileContents([str(tmp_path / "elsewhere.png")]).digests(ALL[:1]) == digests[3]
    os.utime(paths[5], ns=(1, 1))
    again = FileContents(paths).stamps(rows)
    assert again is not None
    assert np.flatnonzero(again != stamps).tolist() == [5]


@pytest.mark.parametrize("what", ["stamps", "digests"])
def test_a_file_that_is_gone_is_named(what: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"7\.png' (is gone|cannot be read): No such file"):
        getattr(FileContents([str(tmp_path / "7.png")]), what)(ALL[:1])


def test_parts_and_joined_sets_keep_what_they_are_known_by(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(path.name.encode())
    files = FileContents([*map(str, paths)])
    sets = [
        ExampleSet(("a", "b"), IMAGES[:2], np.zeros(2, np.int32), files),
        ExampleSet(("c", "d", "e"), IMAGES[2:5], np.ones(3, np.int32)),
    ]
    joined = join_sets(sets)
    expected = [*files.digests(ALL[:2]), *RowContents(IMAGES).digests(ALL[2:5])]
    assert joined.digests().tolist() == expected
    np.testing.assert_array_equal(joined.examples[:], IMAGES[:5])
    some = joined.part(np.array([3, 0], np.int64))
    assert some.ids == ("d", "a")
    assert some.digests().tolist() == [expected[3], expected[0]]
    assert JoinedContents([(files, 2), (files, 2)]).stamps(ALL[:4]) is not None
    assert joined.known_by.stamps(ALL[:5]) is None
