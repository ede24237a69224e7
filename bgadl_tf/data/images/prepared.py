"""Any image as upright pixels of 8 bits, or as a file that a served model decodes to the same.

Imports no TensorFlow before it is needed: clients prepare what they send.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgadl_tf.core.types import Images
from bgadl_tf.data.images import pillow_header, reading
from bgadl_tf.data.images.exif import upright
from bgadl_tf.data.images.header import Header, UnreadableError
from bgadl_tf.data.images.png import to_png

DEPTHS = (8, 12, 16)
"""Bits that 16-bit pixels may really have."""


def prepared(content: bytes) -> bytes:
    """What a served model is sent of a file.

    Args:
        content: Of the file.

    Returns:
        ``content`` itself where a served graph decodes it as training does; that it is not
        damaged in the middle is not checked then. Else a PNG of its pixels.

    Raises:
        UnreadableError: It is no image that is read, or damaged; the message says why.
    """
    header = reading.read_header(io.BytesIO(content))
    return content if header.native else to_png(_pixels(content, header))


def pixels(content: bytes) -> Images:
    """Pixels of a file, by TensorFlow where ``prepared`` would leave it alone.

    Args:
        content: Of the file.

    Returns:
        uint8 [H, W, D], D 1 where the image has no colour, else 3; alpha is dropped, of several
        frames or pages the first is taken.

    Raises:
        UnreadableError: As ``prepared``, wherever it is damaged.
    """
    return _pixels(content, reading.read_header(io.BytesIO(content)))


def _pixels(content: bytes, header: Header) -> Images:
    try:
        if header.native:
            from bgadl_tf.data.images.decode import decode_tensor

            return np.asarray(decode_tensor(content, 1 if header.grey else 3))
        decoded = (
            _sixteen_bits(content, header) if header.bits == 16 else _by_pillow(content, header)
        )
    except Exception as error:  # decoders fail in many ways, and all mean one thing
        raise UnreadableError(reading.why(error)) from error
    return upright(decoded, header.orientation)


def _by_pillow(content: bytes, header: Header) -> Images:
    with pillow_header.open_image(header.format, io.BytesIO(content)) as image:
        width, height = (side // header.factor for side in header.stored)
        if header.factor > 1 and header.format == "JPEG" and width and height:
            # Much faster than decoding all of it, and as good.
            image.draft(None, (width, height))
        # Pillow warns where transparency is lost.
        image.info.pop("transparency", None)
        return _reduced(image.convert("L" if header.grey else "RGB"), header)


def _sixteen_bits(content: bytes, header: Header) -> Images:
    wide = _wide_png(content, header) if header.format == "PNG" else _wide_tiff(content, header)
    narrow = scaled(wide)
    return _reduced(Image.fromarray(narrow[..., 0] if header.grey else narrow), header)


def _wide_png(content: bytes, header: Header) -> NDArray[np.uint16]:
    """uint16 [H, W, D]; Pillow would keep the high bytes alone of what has colour."""
    import tensorflow as tf

    with tf.device("CPU:0"):
        decoded = tf.io.decode_png(content, 1 if header.grey else 3, dtype=tf.uint16)
    return np.asarray(decoded)


def _wide_tiff(content: bytes, header: Header) -> NDArray[np.uint16]:
    """uint16 [H, W, D]."""

    def decoded(*, low: bool) -> NDArray[np.uint16]:
        with pillow_header.open_image("TIFF", io.BytesIO(content)) as image:
            if low:
                pillow_header.take_low_bytes(image)
            return np.asarray(image).astype(np.uint16)

    if header.grey:
        return decoded(low=False)[..., np.newaxis]
    high, low = decoded(low=False)[..., :3], decoded(low=True)[..., :3]
    wide: NDArray[np.uint16] = high * np.uint16(256) + low
    return wide


def scaled(wide: NDArray[np.uint16]) -> Images:
    """16-bit pixels as 8 bits, by the fewest of 8, 12 and 16 bits that hold the brightest.

    Args:
        wide: uint16, any shape.

    Returns:
        uint8 of the same shape, rounded to the nearest.
    """
    brightest = int(wide.max(initial=0))
    bits = next(bits for bits in DEPTHS if brightest < 2**bits)
    most = 2**bits - 1
    values: Images = ((np.arange(brightest + 1) * 255 + most // 2) // most).astype(np.uint8)
    return values[wide]


def _reduced(image: Image.Image, header: Header) -> Images:
    """Pixels, uint8 [H, W, D] as stored, of an image that may be reduced already."""
    width, height = header.stored
    if header.factor > 1 and image.size == (width, height):
        image = image.reduce(header.factor)
    pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], -1)
