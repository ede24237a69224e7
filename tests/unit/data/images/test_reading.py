from __future__ import annotations

import errno
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bgadl_tf.data.images import formats, header, reading
from bgadl_tf.data.images.header import UnreadableError
from bgadl_tf.data.images.prepared import pixels
from tests.support import image_files

SOUND = image_files.sound()


def read(content: bytes) -> header.Header:
    return reading.read_header(io.BytesIO(content))


@pytest.mark.parametrize("name", SOUND)
def test_headers_say_what_decoding_gives(name: str) -> None:
    found = read(SOUND[name])
    decoded = pixels(SOUND[name])
    assert decoded.dtype == np.uint8
    assert decoded.shape == (found.height, found.width, 1 if found.grey else 3)
    assert found.size == (found.width, found.height)


@pytest.mark.parametrize("name", image_files.damaged())
def test_damage_is_found_and_named(name: str) -> None:
    content, why = image_files.damaged()[name]
    with pytest.raises(UnreadableError) as caught:
        pixels(content)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize("name", image_files.others())
def test_what_is_no_image_is_told_from_what_is_damaged(name: str) -> None:
    content, what = image_files.others()[name]
    with pytest.raises(reading.NotReadError) as caught:
        read(content)
    assert str(caught.value) == what


@given(st.sampled_from(sorted(SOUND)), st.integers(0, 10**6), st.integers(0, 255))
def test_damage_of_any_kind_is_one_error(name: str, place: int, byte: int) -> None:
    content = bytearray(SOUND[name])
    content[place % len(content)] = byte
    for spoilt in (bytes(content), SOUND[name][: place % len(content)]):
        try:
            found = read(spoilt)
        except UnreadableError as error:
            said = str(error)
        else:
            said = f"{found.width}x{found.height}"
            assert 1 <= found.width * found.height <= formats.MOST_PIXELS
        assert said
        assert said.isprintable()


def test_sizes_that_cannot_be() -> None:
    for width, height in ((0, 5), (5, 0)):
        with pytest.raises(UnreadableError, match=f"it claims to be {width}x{height} pixels"):
            header.check_size(width, height, 100)
    header.check_size(2**14, 2**14, 2**20)
    with pytest.raises(UnreadableError, match="16384x16385 pixels; at most 268435456 are read"):
        header.check_size(2**14, 2**14 + 1, 2**20)
    header.check_size(8, 2**25, 2**20)
    with pytest.raises(UnreadableError, match="1x134217729 pixels; at most 268435456 are read"):
        header.check_size(1, 2**27 + 1, 2**20)  # an eighth of its height would be too much
    header.check_size(2**12, 2**12, 10)  # every computer has the memory
    with pytest.raises(UnreadableError, match="in 10 bytes: too many to be safe"):
        header.check_size(2**12, 2**12 + 1, 10)


def test_a_tiff_that_pillow_would_refuse_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 107)
    with pytest.raises(UnreadableError, match="18x12 pixels; at most 214 are read of a TIFF"):
        read(SOUND["lzw.tif"])


def test_files_that_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    content = SOUND["colour.PNG"]
    monkeypatch.setattr(formats, "LARGEST_FILE", len(content) - 1)
    with pytest.raises(UnreadableError, match=f"the file has {len(content)} bytes; at most "):
        read(content)


@pytest.mark.parametrize(
    ("width", "height", "factor"),
    [(4096, 4096, 1), (4096, 4097, 2), (5712, 4284, 2), (8192, 8193, 4), (16384, 16384, 4)],
)
def test_large_images_are_reduced_by_the_smallest_factor(
    width: int, height: int, factor: int
) -> None:
    found = header.Header("JPEG", (width, height), False, orientation=6, plain=True)
    assert found.factor == factor
    assert found.size == (height, width)
    assert (found.width, found.height) == (-(-height // factor), -(-width // factor))
    assert not found.native


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError("image file is truncated"), "damaged: image file is truncated"),
        (Image.DecompressionBombError("x"), "too many pixels to be safe"),
        (MemoryError(), "it does not fit in the memory"),
        (ValueError(), "damaged"),
        (SyntaxError("chunk I\0ND\x1b[2J"), "damaged: chunk I?ND?[2J"),
        (UnreadableError("cut short"), "cut short"),
    ],
)
def test_what_decoders_raise_becomes_a_few_words(error: Exception, said: str) -> None:
    assert reading.why(error) == said
