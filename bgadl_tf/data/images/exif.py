"""Which side of a photo is up: the EXIF orientation of its file. Imports no TensorFlow."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.types import Images

UPRIGHT = 1
ORIENTATION = 0x112
"""Tag of the orientation, in EXIF data as in TIFF files."""


def orientation_of(exif: bytes) -> int:
    """The orientation that EXIF data states, 1 to 8; 1 where it states none, or nonsense.

    Args:
        exif: With or without the six bytes in front that a JPEG has there.
    """
    data = exif.removeprefix(b"Exif\0\0")
    if data[:2] == b"II":
        order: tuple[str, str] = ("little", "<")
    elif data[:2] == b"MM":
        order = ("big", ">")
    else:
        return UPRIGHT
    start = int(np.frombuffer(data[4:8].ljust(4, b"\0"), f"{order[1]}u4")[0])
    count = int(np.frombuffer(data[start : start + 2].ljust(2, b"\0"), f"{order[1]}u2")[0])
    for number in range(count):
        entry = data[start + 2 + 12 * number :][:12]
        if len(entry) < 12:
            break
        tag, type_ = np.frombuffer(entry[:4], f"{order[1]}u2").tolist()
        if tag == ORIENTATION:
            width = "u2" if type_ == 3 else "u4"
            return valid(int(np.frombuffer(entry[8:12], f"{order[1]}{width}")[0]))
    return UPRIGHT


def valid(orientation: object) -> int:
    """An orientation from 1 to 8; 1 for anything else."""
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else UPRIGHT


def swaps(orientation: int) -> bool:
    """Whether what is stored as width is the height."""
    return orientation >= 5


def upright(pixels: Images, orientation: int) -> Images:
    """Turns and mirrors stored pixels so that they are as they were seen.

    Args:
        pixels: uint8 [H, W, D] as stored.
        orientation: 1 to 8.

    Returns:
        uint8 [H, W, D] or [W, H, D].
    """
    if swaps(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
