from __future__ import annotations

import io

import numpy as np
import pytest

from bgadl_tf.data.images import jpeg_header, prepared
from bgadl_tf.data.images.header import UnreadableError
from tests.support import image_files
from tests.support.image_files import PICTURE, file

SOUND = file(PICTURE, "JPEG")
SCAN = SOUND.index(b"\xff\xda")


def read(content: bytes) -> jpeg_header.Header:
    return jpeg_header.read(io.BytesIO(content))


@pytest.mark.parametrize(
    ("mode", "grey", "native"), [("L", True, True), ("RGB", False, True), ("CMYK", False, False)]
)
@pytest.mark.parametrize("progressive", [False, True])
def test_size_and_colour(mode: str, grey: bool, native: bool, progressive: bool) -> None:
    found = read(file(PICTURE.convert(mode), "JPEG", progressive=progressive))
    assert found.stored == PICTURE.size
    assert (found.grey, found.native) == (grey, native)


def test_orientation() -> None:
    assert read(image_files.turned("JPEG", 5)).orientation == 5
    assert read(SOUND).orientation == 1


def test_a_preview_in_the_exif_data_is_not_the_picture() -> None:
    preview = file(PICTURE.resize((4, 4)), "JPEG")
    segment = b"\xff\xe1" + (len(preview) + 8).to_bytes(2, "big") + b"Exif\0\0" + preview
    assert read(SOUND[:2] + segment + SOUND[2:]).stored == PICTURE.size
    with pytest.raises(UnreadableError, match="cut short"):  # its end is not the picture's
        read(SOUND[:2] + segment + SOUND[2:-2])


@pytest.mark.parametrize("behind", [b"\0" * 9, b"a video", SOUND])
def test_what_follows_the_picture_does_not_matter(behind: bytes) -> None:
    assert read(SOUND + behind).stored == PICTURE.size


@pytest.mark.parametrize("padding", [b"\xff\xff", b"\0\0", b"junk"])
def test_what_decoders_pass_over_between_segments_does_not_matter(padding: bytes) -> None:
    content = SOUND[:SCAN] + padding + SOUND[SCAN:]
    assert read(content).stored == PICTURE.size
    np.testing.assert_array_equal(prepared.pixels(content), prepared.pixels(SOUND))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (SOUND[:3], "cut short"),
        (SOUND[:30], "cut short"),
        (SOUND[: SCAN + 20], "cut short"),
        (SOUND[:-2], "cut short"),
        (SOUND[:2] + b"\xff\xd9", "without pixels"),
        (SOUND[:20] + bytes(5000) + SOUND[20:], "something between its segments"),
        (SOUND[:2] + b"\xff\xe0\0\0" + SOUND[2:], "segment of no length"),
        (SOUND[:2] + SOUND[SCAN:], "without a size"),
    ],
)
def test_what_is_damaged(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read(content)


def test_more_bits_than_decoders_know() -> None:
    at = SOUND.index(b"\xff\xc0") + 4
    with pytest.raises(UnreadableError, match=r"3 channels with 12 bits, .* convert it to PNG"):
        read(SOUND[:at] + b"\x0c" + SOUND[at + 1 :])
