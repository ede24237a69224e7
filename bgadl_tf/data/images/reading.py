"""From the bytes of a file to its header: the one place that decides what is read, and how."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from PIL import Image

from bgadl_tf.core.errors import plain
from bgadl_tf.data.images import formats, jpeg_header, pillow_header, png_header
from bgadl_tf.data.images.header import Header, UnreadableError, check_size

EMPTY = "the file is empty"


class NotReadError(UnreadableError):
    """A file that does not begin like any image that is read; the message says what it is."""


def read_header(file: BinaryIO) -> Header:
    """Reads the header of a file from its beginning.

    Raises:
        NotReadError: By its first bytes it is none of the images that are read.
        UnreadableError: It should be one, but is damaged or cannot be used; the message says why.
    """
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    kind = formats.kind_of(file.read(formats.HEAD))
    if not length:
        raise NotReadError(EMPTY)
    if kind.format is None:
        raise NotReadError(kind.reason)
    if length > formats.LARGEST_FILE:
        raise UnreadableError(
            f"the file has {length} bytes; at most {formats.LARGEST_FILE} are read"
        )
    try:
        header = _read(kind.format, file)
    except UnreadableError:
        raise
    except Exception as error:  # decoders fail in many ways, and all mean one thing
        raise UnreadableError(why(error)) from error
    check_size(*header.stored, length)
    return header


def why(error: Exception) -> str:
    """What is wrong with a file that a decoder has failed on, in a few words."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return "too many pixels to be safe"
    if isinstance(error, UnreadableError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "it does not fit in the memory"
    text = "" if isinstance(error, struct.error) else plain(str(error))
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return f"damaged: {text}" if text else "damaged"


def _read(format_: str, file: BinaryIO) -> Header:
    if format_ == "PNG":
        return png_header.read(file)
    if format_ == "JPEG":
        return jpeg_header.read(file)
    return pillow_header.read(format_, file)
