from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from bgadl_tf.core.types import Images, Rows
from bgadl_tf.data.images import decode_rows as module
from bgadl_tf.data.images.decode_rows import PART, decode_rows
from tests.support.examples import some_images

IMAGES = some_images(3 * PART)


def decode(rows: Rows) -> Images:
    if bad := set(rows.tolist()) & {5, 2 * PART + 1}:
        raise ValueError(f"{sorted(bad)}")
    return IMAGES[rows]


def test_images_keep_their_places_and_bad_ones_are_found() -> None:
    rows = np.random.default_rng(0).permutation(3 * PART)
    images, bad = decode_rows(decode, rows, (8, 8, 1))
    assert {row: str(error) for row, error in bad.items()} == {5: "[5]", 501: "[501]"}
    assert list(bad) == [5, 501]
    good = ~np.isin(rows, list(bad))
    np.testing.assert_array_equal(images[good], IMAGES[rows[good]])


@pytest.mark.parametrize("count", [0, 1, PART])
def test_few_images_start_no_thread(count: int) -> None:
    threads = set()

    def look(rows: Rows) -> Images:
        threads.add(threading.current_thread())
        return IMAGES[rows]

    images, bad = decode_rows(look, np.arange(count), (8, 8, 1))
    np.testing.assert_array_equal(images, IMAGES[:count])
    assert not bad
    assert threads <= {threading.main_thread()}


def test_many_images_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    together = threading.Barrier(3, timeout=60)

    def wait(rows: Rows) -> Images:
        together.wait()
        return IMAGES[rows]

    images, _ = module.decode_rows(wait, np.arange(3 * PART), (8, 8, 1))
    np.testing.assert_array_equal(images, IMAGES)
