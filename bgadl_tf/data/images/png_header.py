"""The header of a PNG: its chunks, without what is in them. Imports no TensorFlow."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from bgadl_tf.data.images.exif import UPRIGHT, orientation_of
from bgadl_tf.data.images.header import Header, UnreadableError

COLOURS = {0: True, 2: False, 3: False, 4: True, 6: False}
"""Whether a PNG of a colour type is grey."""

CHECKED = 2**16
"""Bytes of the largest chunk whose checksum is looked at here; decoders look at the others."""

MOST_EXIF = 2**20
"""Bytes of EXIF data that are read."""


def read(file: BinaryIO) -> Header:
    """Reads the header and looks for the end; pixels are not read.

    Raises:
        UnreadableError: The file is damaged or cut short.
    """
    file.seek(8)
    length, name = _chunk(file)
    if name != b"IHDR" or length != 13:
        raise UnreadableError("damaged: a PNG without a header")
    fields = _checked(file, name, length)
    width, height = int.from_bytes(fields[:4], "big"), int.from_bytes(fields[4:8], "big")
    depth, colour = fields[8], fields[9]
    if colour not in COLOURS or depth not in (1, 2, 4, 8, 16):
        raise UnreadableError(f"damaged: a PNG of colour type {colour} with {depth} bits")
    orientation, several, has_pixels = UPRIGHT, False, False
    while True:
        length, name = _chunk(file)
        if name == b"IEND":
            break
        if name == b"eXIf" and length <= MOST_EXIF:
            orientation = orientation_of(_checked(file, name, length))
        elif name == b"acTL" and length >= 4:
            several = int.from_bytes(_checked(file, name, length)[:4], "big") > 1
        elif name[:1].isupper() and length <= CHECKED:
            _checked(file, name, length)
        else:
            file.seek(length + 4, io.SEEK_CUR)
        has_pixels = has_pixels or name == b"IDAT"
    if not has_pixels:
        raise UnreadableError("damaged: a PNG without pixels")
    return Header(
        "PNG", (width, height), COLOURS[colour], orientation, max(depth, 8), several, plain=True
    )


def _chunk(file: BinaryIO) -> tuple[int, bytes]:
    start = file.read(8)
    if len(start) < 8:
        raise UnreadableError("cut short")
    if not start[4:].isalpha():
        raise UnreadableError("damaged: a PNG with something between its chunks")
    return int.from_bytes(start[:4], "big"), start[4:]


def _checked(file: BinaryIO, name: bytes, length: int) -> bytes:
    content = file.read(length + 4)
    if len(content) < length + 4:
        raise UnreadableError("cut short")
    data, checksum = content[:length], content[length:]
    if zlib.crc32(data, zlib.crc32(name)) != int.from_bytes(checksum, "big"):
        raise UnreadableError(f"damaged: a wrong checksum in {name.decode()}")
    return data
