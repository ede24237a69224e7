from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from bgadl_tf.data.images.exif import orientation_of, swaps, upright
from tests.support import image_files


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_are_turned_as_pillow_turns_them(orientation: int) -> None:
    with Image.open(io.BytesIO(image_files.turned("PNG", orientation))) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    turned = upright(image_files.COLOUR, orientation)
    np.testing.assert_array_equal(turned, expected)
    assert swaps(orientation) == (turned.shape[0] == image_files.WIDTH)


def exif(order: str, *entries: tuple[int, int, int]) -> bytes:
    """EXIF data of tags, types and values."""
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    for tag, type_, value in entries:
        form = "HHIHH" if type_ == 3 else "HHII"
        fields = (tag, type_, 1, value, 0) if type_ == 3 else (tag, type_, 1, value)
        data += struct.pack(order + form, *fields)
    return data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("front", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("type_", [3, 4])
def test_the_orientation_is_found_in_either_order_of_bytes(
    order: str, front: bytes, type_: int
) -> None:
    assert orientation_of(front + exif(order, (0x10F, 4, 99), (0x112, type_, 6))) == 6


@pytest.mark.parametrize("value", [0, 9, 255])
def test_orientations_that_there_are_not_count_as_upright(value: int) -> None:
    assert orientation_of(exif("<", (0x112, 3, value))) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"II", b"nonsense", exif("<"), exif("<", (0x112, 3, 6))[:-3], b"II*\0\xff\xff\xff\xff"],
)
def test_data_without_an_orientation_count_as_upright(data: bytes) -> None:
    assert orientation_of(data) == 1


@given(st.binary(max_size=60))
def test_any_data_has_an_orientation(data: bytes) -> None:
    assert 1 <= orientation_of(b"II*\0\x08\0\0\0" + data) <= 8
