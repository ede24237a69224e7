"""The header of a JPEG: its segments up to the first scan. Imports no TensorFlow."""

from __future__ import annotations

import io
from typing import BinaryIO

from bgadl_tf.data.images.exif import UPRIGHT, orientation_of
from bgadl_tf.data.images.header import Header, UnreadableError

FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of the segment that holds the size."""

COMMON = frozenset({0xC0, 0xC1, 0xC2})
"""Of these, what every decoder decodes: Huffman-coded, baseline, extended or progressive."""

EXIF, SCAN, END = 0xE1, 0xDA, 0xD9
MOST_JUNK = 4096
"""Bytes between two segments."""


def read(file: BinaryIO) -> Header:
    """Reads the header and looks for the end; pixels are not read, unless something follows them.

    Raises:
        UnreadableError: The file is damaged or cut short.
    """
    file.seek(2)
    orientation: int | None = None
    frame: tuple[int, bytes] | None = None
    while True:
        marker = _marker(file)
        if marker == SCAN:
            break
        if marker == END:
            raise UnreadableError("damaged: a JPEG without pixels")
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue  # these have no content
        length = int.from_bytes(_read(file, 2), "big") - 2
        if length < 0:
            raise UnreadableError("damaged: a JPEG with a segment of no length")
        if marker in FRAMES and frame is None:
            frame = marker, _read(file, length)
        elif marker == EXIF and orientation is None:
            content = _read(file, length)
            if content.startswith(b"Exif\0\0"):
                orientation = orientation_of(content)
        else:
            file.seek(length, io.SEEK_CUR)
    if frame is None or len(frame[1]) < 6:
        raise UnreadableError("damaged: a JPEG without a size")
    _check_end(file)
    kind, fields = frame
    bits, components = fields[0], fields[5]
    height, width = int.from_bytes(fields[1:3], "big"), int.from_bytes(fields[3:5], "big")
    if bits != 8 or components not in (1, 3, 4):
        raise UnreadableError(
            f"a JPEG of {components} channels with {bits} bits, which is not read: convert it to "
            "PNG"
        )
    plain = kind in COMMON and components != 4
    return Header("JPEG", (width, height), components == 1, orientation or UPRIGHT, plain=plain)


def _marker(file: BinaryIO) -> int:
    for _ in range(MOST_JUNK):  # decoders pass over it
        if _read(file, 1) == b"\xff":
            break
    else:
        raise UnreadableError("damaged: a JPEG with something between its segments")
    marker = 0xFF
    while marker == 0xFF:  # may be repeated
        marker = _read(file, 1)[0]
    return marker


def _check_end(file: BinaryIO) -> None:
    """Makes sure that the picture ends; cameras append videos and maps behind it."""
    start = file.tell()
    file.seek(-2, io.SEEK_END)
    if file.tell() >= start and file.read(2) == b"\xff\xd9":
        return
    file.seek(start)
    if b"\xff\xd9" not in file.read():
        raise UnreadableError("cut short")


def _read(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise UnreadableError("cut short")
    return content
