"""Encoded images: the same pixels as Pillow's, and an error for whatever is not one."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from bgadl_tf.data.images import decode

COLOUR = np.random.default_rng(0).integers(256, size=(9, 12, 3), dtype=np.uint8)


def encoded(pixels: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(buffer, kind)
    return buffer.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size."""
    sound = encoded(COLOUR, "PNG")
    return sound[:16] + struct.pack(">II", width, height) + sound[24:]


def claiming_jpeg(width: int, height: int) -> bytes:
    sound = encoded(COLOUR, "JPEG")
    at = sound.index(b"\xff\xc0") + 5
    return sound[:at] + struct.pack(">HH", height, width) + sound[at + 4 :]


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def served(content: tf.Tensor) -> tf.Tensor:
    return decode.decode_tensor(content, 3)


def test_png_keeps_every_pixel_and_jpeg_is_close() -> None:
    np.testing.assert_array_equal(served(encoded(COLOUR, "PNG")), COLOUR)
    flat = np.full((8, 9, 3), 90, np.uint8)
    np.testing.assert_allclose(served(encoded(flat, "JPEG")), flat, atol=2)


def test_grey_becomes_three_channels_and_alpha_is_dropped() -> None:
    grey = COLOUR[..., 0]
    np.testing.assert_array_equal(served(encoded(grey, "PNG")), np.stack([grey] * 3, -1))
    np.testing.assert_array_equal(
        decode.decode_tensor(tf.constant(encoded(grey, "PNG")), 1), grey[..., np.newaxis]
    )
    with_alpha = np.concatenate([COLOUR, COLOUR[..., :1]], -1)
    np.testing.assert_array_equal(served(encoded(with_alpha, "PNG")), COLOUR)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PN", b"hello", encoded(COLOUR, "GIF"), encoded(COLOUR, "BMP")]
)
def test_anything_else_is_not_a_png_or_jpeg(content: bytes) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a PNG or JPEG"):
        served(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("length", [10, 20, 100, -20])
def test_what_is_cut_short_is_an_error(kind: str, length: int) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        served(encoded(COLOUR, kind)[:length])


@pytest.mark.parametrize(
    "bomb",
    [claiming(60_000, 60_000), claiming(2**24 + 1, 1), claiming(0, 5), claiming(2**32 - 1, 1),
     claiming_jpeg(65_000, 65_000)],
)  # fmt: skip
def test_the_size_is_refused_before_any_pixel_is_decoded(bomb: bytes) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected 1 to 16777216 pixels, got"):
        served(bomb)


def test_a_large_size_that_is_allowed_fails_only_in_the_decoder() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid PNG"):
        served(claiming(4096, 4096))
