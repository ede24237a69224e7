"""The one way encoded images become pixels: alike for files on disk and in served graphs."""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.data.images.formats import JPEG, MOST_PIXELS, PNG


def decode_tensor(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    """Decodes one PNG or JPEG; the size in its header is checked before any pixel is decoded.

    Alpha is dropped, orientation tags are ignored, and of 16 bits the high byte is kept.

    Args:
        encoded: Scalar string.
        channels: D, 1 or 3.

    Returns:
        uint8 [H, W, D].

    Raises:
        tf.errors.InvalidArgumentError: The bytes are neither PNG nor JPEG, are damaged, or claim
            more than ``MOST_PIXELS``.
    """
    height, width = tf.unstack(stated_size(encoded))
    within = tf.debugging.Assert(
        (height > 0) & (width > 0) & (height * width <= MOST_PIXELS),
        [f"height and width of an image; expected 1 to {MOST_PIXELS} pixels, got", height, width],
    )
    with tf.control_dependencies([within]):
        encoded = tf.identity(encoded)
    decoded = tf.io.decode_image(encoded, channels, expand_animations=False)
    return tf.ensure_shape(decoded, (None, None, channels))


def stated_size(encoded: tf.Tensor) -> tf.Tensor:
    """Height and width in the header of a PNG or JPEG, scalar string -> int64 [2]."""
    return tf.cond(
        _starts_with(encoded, PNG), lambda: _png_size(encoded), lambda: _jpeg_size(encoded)
    )


def _png_size(encoded: tf.Tensor) -> tf.Tensor:
    # After the magic: length of the first chunk, its name IHDR, width and height, 4 bytes each.
    whole = tf.debugging.Assert(tf.strings.length(encoded) >= 24, ["a PNG that is cut short"])
    with tf.control_dependencies([whole]):
        fields = tf.strings.substr(encoded, 16, 8)
    width_and_height = tf.io.decode_raw(fields, tf.int32, little_endian=False)
    return tf.ensure_shape(tf.cast(width_and_height[::-1], tf.int64), (2,))


def _jpeg_size(encoded: tf.Tensor) -> tf.Tensor:
    known = tf.debugging.Assert(_starts_with(encoded, JPEG), ["not a PNG or JPEG"])
    with tf.control_dependencies([known]):
        encoded = tf.identity(encoded)
    return tf.image.extract_jpeg_shape(encoded, tf.int64)[:2]


def _starts_with(encoded: tf.Tensor, magic: bytes) -> tf.Tensor:
    return tf.strings.substr(encoded, 0, len(magic)) == magic
