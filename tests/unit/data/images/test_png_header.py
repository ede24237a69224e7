from __future__ import annotations

import io
import struct

import pytest

from bgadl_tf.data.images import png_header
from bgadl_tf.data.images.header import UnreadableError
from tests.support import image_files
from tests.support.image_files import PICTURE, chunk, file

START = b"\x89PNG\r\n\x1a\n"
PIXELS = chunk(b"IDAT", b"pixels")
END = chunk(b"IEND", b"")


def header(width: int = 3, height: int = 2, depth: int = 8, colour: int = 2) -> bytes:
    return START + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def read(content: bytes) -> png_header.Header:
    return png_header.read(io.BytesIO(content))


@pytest.mark.parametrize(
    ("mode", "grey"), [("1", True), ("L", True), ("LA", True), ("P", False), ("RGB", False),
                       ("RGBA", False)]
)  # fmt: skip
def test_size_and_colour(mode: str, grey: bool) -> None:
    found = read(file(PICTURE.convert(mode), "PNG"))
    assert found.stored == PICTURE.size
    assert (found.grey, found.bits, found.native) == (grey, 8, True)


def test_sixteen_bits() -> None:
    found = read(header(depth=16) + PIXELS + END)
    assert (found.bits, found.native) == (16, False)


def test_exif_data_count_wherever_they_stand() -> None:
    assert read(image_files.turned("PNG", 8)).orientation == 8
    assert read(image_files.with_late_exif(6)).orientation == 6


@pytest.mark.parametrize(("count", "several"), [(1, False), (2, True)])
def test_frames_are_seen(count: int, several: bool) -> None:
    control = chunk(b"acTL", struct.pack(">II", count, 0))
    assert read(header() + control + PIXELS + END).several == several


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (START, "cut short"),
        (header()[:-5], "cut short"),
        (header() + PIXELS, "cut short"),
        (header() + PIXELS[:-1], "cut short"),
        (header() + END, "without pixels"),
        (START + PIXELS + END, "without a header"),
        (header(depth=3) + PIXELS + END, "colour type 2 with 3 bits"),
        (header(colour=5) + PIXELS + END, "colour type 5 with 8 bits"),
        (header() + PIXELS[:-1] + b"?" + END, "wrong checksum in IDAT"),
        (header() + PIXELS + b"junk" + END, "something between its chunks"),
        (header()[:-1] + b"?" + PIXELS + END, "wrong checksum in IHDR"),
    ],
)
def test_what_is_damaged(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read(content)


def test_checksums_of_what_is_left_out_do_not_matter() -> None:
    text = chunk(b"tEXt", b"Title\0cat")[:-1] + b"?"
    assert read(header() + text + PIXELS + END).stored == (3, 2)


def test_pixels_of_large_files_are_not_read() -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(size)
            Counting.count += len(content)
            return content

    large = chunk(b"IDAT", bytes(10 * png_header.CHECKED))
    png_header.read(Counting(header() + large + END))
    assert Counting.count < 100
