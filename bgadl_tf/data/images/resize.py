"""The one way images change size: antialiased bilinear, alike in memory and in served graphs."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Images

CHUNK = 1024

MODES = ("stretch", "crop", "pad")
"""How an image of other proportions gets those of the result: each side by itself; the middle of
it, as large as the result; or all of it, in the middle of a black result."""


def resize_tensor(images: tf.Tensor, size: tuple[int, int], mode: str = "stretch") -> tf.Tensor:
    """Resizes inside a graph.

    Args:
        images: uint8 [B, H, W, D] or [H, W, D]; every size but D may be unknown.
        size: Height and width of the result; an image that has them already is not changed.
        mode: Of ``MODES``.

    Returns:
        uint8 [B, *size, D] or [*size, D], rounded to the nearest grey value.
    """
    wide = tf.cast(images, tf.float32)
    if mode == "stretch":
        resized = tf.image.resize(wide, size, antialias=True)
    else:
        resized = _in_proportion(wide, size, cover=mode == "crop")
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)


def _in_proportion(images: tf.Tensor, size: tuple[int, int], *, cover: bool) -> tf.Tensor:
    """Both sides by one scale; never more pixels than those of the image and the result."""
    batch = images if images.shape.rank == 4 else images[tf.newaxis]
    # In 64 bits a side that fits has no remainder that would shift it.
    sides = tf.cast(tf.shape(batch)[1:3], tf.float64)
    wanted = tf.constant(size, tf.float64)
    ratios = wanted / sides
    scale = tf.reduce_max(ratios) if cover else tf.reduce_min(ratios)
    shift = (wanted - sides * scale) / 2.0
    resized = tf.raw_ops.ScaleAndTranslate(
        images=batch,
        size=tf.constant(size, tf.int32),
        scale=tf.cast(tf.stack([scale, scale]), tf.float32),
        translation=tf.cast(shift, tf.float32),
        kernel_type="triangle",
        antialias=True,
    )
    return resized if images.shape.rank == 4 else resized[0]


def resize(images: Images, size: int, mode: str = "stretch") -> Images:
    """Resizes images in memory.

    Args:
        images: uint8 [N, H, W, D].
        size: Pixels a side of the result.
        mode: Of ``MODES``.

    Returns:
        uint8 [N, size, size, D]; ``images`` itself when it has that size already.
    """
    count, height, width, channels = images.shape
    if (height, width) == (size, size):
        return images
    resized = np.empty((count, size, size, channels), np.uint8)
    # Accelerators need not round like the CPU, and a dataset must be the same everywhere.
    with tf.device("CPU:0"):
        for start in range(0, count, CHUNK):
            rows = slice(start, start + CHUNK)
            resized[rows] = resize_tensor(tf.constant(images[rows]), (size, size), mode).numpy()
    return resized
