"""What an image file says of itself before any pixel is decoded. Imports no TensorFlow."""

from __future__ import annotations

from typing import NamedTuple

from bgadl_tf.data.images import formats
from bgadl_tf.data.images.exif import UPRIGHT, swaps

FACTORS = (1, 2, 4, 8)
"""By which images are reduced; the first that is enough."""


class UnreadableError(OSError):
    """A file that cannot be used as an image; the message says why, in a few words."""


class Header(NamedTuple):
    """What one file says.

    Attributes:
        format: E.g. ``PNG``.
        stored: Width and height of the pixels in the file, as they lie there.
        grey: Whether it has no colour.
        orientation: Of EXIF, 1 to 8, as far as the decoder does not see to it.
        bits: Of a channel, 8 where there are fewer, or 16.
        several: Whether there are frames or pages behind the first.
        plain: Whether it is a PNG or JPEG that TensorFlow decodes right but for what else stands
            here.
    """

    format: str
    stored: tuple[int, int]
    grey: bool
    orientation: int = UPRIGHT
    bits: int = 8
    several: bool = False
    plain: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in the file, upright."""
        width, height = self.stored
        return (height, width) if swaps(self.orientation) else (width, height)

    @property
    def factor(self) -> int:
        """By which it is reduced when it is decoded."""
        return factor_of(*self.stored)

    @property
    def width(self) -> int:
        """Of the decoded image, upright."""
        return reduced(self.size[0], self.factor)

    @property
    def height(self) -> int:
        """Of the decoded image, upright."""
        return reduced(self.size[1], self.factor)

    @property
    def native(self) -> bool:
        """Whether a served graph decodes it as it is."""
        return self.plain and self.bits == 8 and self.orientation == UPRIGHT and self.factor == 1


def factor_of(width: int, height: int) -> int:
    """The smallest factor that brings an image to ``MOST_PIXELS``; the largest if none does."""
    for factor in FACTORS:
        if reduced(width, factor) * reduced(height, factor) <= formats.MOST_PIXELS:
            return factor
    return FACTORS[-1]


def reduced(length: int, factor: int) -> int:
    """Pixels that are left of a side; what is over makes one more."""
    return -(-length // factor)


def check_size(width: int, height: int, length: int) -> None:
    """Refuses sizes that no image can have, or that cannot be decoded.

    Args:
        width: Pixels.
        height: Pixels.
        length: Bytes of the file.

    Raises:
        UnreadableError: The reason.
    """
    pixels = width * height
    if pixels < 1:
        raise UnreadableError(f"damaged: it claims to be {width}x{height} pixels")
    factor = factor_of(width, height)
    thin = reduced(width, factor) * reduced(height, factor) > formats.MOST_PIXELS
    if pixels > formats.LARGEST or thin:
        raise UnreadableError(
            f"{width}x{height} pixels; at most {formats.LARGEST} are read: reduce it"
        )
    if pixels > formats.MOST_PIXELS and pixels > formats.MOST_A_BYTE * length:
        raise UnreadableError(f"{width}x{height} pixels in {length} bytes: too many to be safe")
