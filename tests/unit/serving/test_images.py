from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bgadl_tf.core.errors import DataError
from bgadl_tf.data.images.png import to_png
from bgadl_tf.serving.client.images import batches, strings
from tests.support.examples import some_images


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(1, 5), st.integers(1, 20))
def test_batches_keep_order_and_bounds(sizes: list[int], count: int, bytes_: int) -> None:
    numbered = list(enumerate(sizes))
    found = list(batches(numbered, lambda item: item[1], count=count, bytes_=bytes_))
    assert list(itertools.chain(*found)) == numbered
    for batch in found:
        assert 1 <= len(batch) <= count
        assert sum(size for _, size in batch) <= bytes_ or len(batch) == 1
    for first, second in itertools.pairwise(found):  # none could have been larger
        total = sum(size for _, size in first) + second[0][1]
        assert len(first) == count or total > bytes_


def test_batches_are_lazy() -> None:
    endless = batches(itertools.count(), lambda _: 1, count=3, bytes_=100)
    assert next(endless) == [0, 1, 2]


@pytest.mark.parametrize("shape", [(9, 12, 1), (9, 12, 3)])
def test_png_is_lossless(shape: tuple[int, int, int]) -> None:
    image = some_images(1, shape)[0]
    with Image.open(io.BytesIO(to_png(image))) as read:
        np.testing.assert_array_equal(np.asarray(read).reshape(shape), image)


@pytest.mark.parametrize(
    "image", [np.zeros((8, 8, 1)), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 2), np.uint8)]
)
def test_what_is_no_image(image: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"expected uint8 \[H, W, D\]"):
        to_png(image)


def test_strings_keep_zeros_at_their_end() -> None:
    assert strings([b"a\0", b""]).tolist() == [b"a\0", b""]
