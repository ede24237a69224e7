"""What image files say of themselves before any pixel is decoded: whether they fit together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bgadl_tf.core.errors import DataError, plain
from bgadl_tf.data.images import decode, image_paths

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})


class Header(NamedTuple):
    """What one file says.

    Attributes:
        width: Pixels.
        height: Pixels.
        grey: Whether it has no colour.
        native: Whether it is a PNG or JPEG, which TensorFlow decodes.
    """

    width: int
    height: int
    grey: bool
    native: bool


class Headers(NamedTuple):
    """What the readable ones of many files say together.

    Attributes:
        first: Name and header of the first file.
        odd: Name and header of the first file of another size than that; None if there is none.
        grey: Whether all are grey.
        native: Of each file, bool [N].
        bad: What is wrong with which unreadable file.
    """

    first: tuple[str, Header] | None
    odd: tuple[str, Header] | None
    grey: bool
    native: NDArray[np.bool_]
    bad: dict[str, Exception]


def read_headers(root: Path, names: Sequence[str]) -> Headers:
    """Reads the headers of files.

    Args:
        root: The folder they are in.
        names: Paths relative to it, ``[N]``.
    """
    first: tuple[str, Header] | None = None
    odd: tuple[str, Header] | None = None
    grey = True
    native = np.zeros(len(names), np.bool_)
    bad: dict[str, Exception] = {}
    with warnings.catch_warnings():
        # Pillow only warns of an image that is suspiciously, but not absurdly, large.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for number, name in enumerate(names):
            try:
                header = read_header(root / name)
            except Exception as error:  # decoders fail in many ways, and all mean one thing
                bad[name] = error
                continue
            native[number], grey = header.native, grey and header.grey
            first = first or (name, header)
            if odd is None and header[:2] != first[1][:2]:
                odd = name, header
    return Headers(first, odd, grey, native, bad)


def read_header(path: Path) -> Header:
    """Reads the header of one file; raises whatever Pillow does where it cannot."""
    image_paths.check_regular(path)
    with path.open("rb") as file:
        magic = file.read(8)
        file.seek(0)
        with Image.open(file) as image:
            if image.width * image.height > decode.MOST_PIXELS:
                raise Image.DecompressionBombError
            return Header(
                image.width, image.height, image.mode in GREY_MODES, magic.startswith(decode.MAGIC)
            )


def check_sizes(root: Path, headers: Headers) -> None:
    """Makes sure that images need not be resized.

    Raises:
        DataError: They have different sizes.
    """
    assert headers.first is not None
    name, expected = headers.first
    if headers.odd is not None:
        other, header = headers.odd
        raise DataError(
            f"images of {root} have different sizes: {name} is {expected.width}x{expected.height}, "
            f"{other} is {header.width}x{header.height} pixels; resize them with --image-size"
        )


def unreadable(
    root: Path, bad: dict[str, Exception], mending: str = "mend or remove them"
) -> DataError:
    """The error that names the first unreadable files and counts the others."""
    shown = [f"{name} ({_reason(error)})" for name, error in list(bad.items())[:3]]
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    files = "1 image" if len(bad) == 1 else f"{len(bad)} images"
    return DataError(f"{files} of {root} cannot be read: {', '.join(shown)}{more}; {mending}")


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return "too many pixels to be safe"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, tf.errors.OpError):
        return plain(error.message)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
