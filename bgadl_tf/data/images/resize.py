"""The one way images change size: antialiased bilinear, alike in memory and in served graphs."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Images

CHUNK = 1024


def resize_tensor(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Resizes inside a graph.

    Args:
        images: uint8 [B, H, W, D] or [H, W, D]; every size but D may be unknown.
        size: Height and width of the result; an image that has them already is not changed.

    Returns:
        uint8 [B, *size, D] or [*size, D], rounded to the nearest grey value.
    """
    resized = tf.image.resize(tf.cast(images, tf.float32), size, antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)


def resize(images: Images, size: int) -> Images:
    """Resizes images in memory.

    Args:
        images: uint8 [N, H, W, D].
        size: Pixels a side of the result.

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
            resized[rows] = resize_tensor(tf.constant(images[rows]), (size, size)).numpy()
    return resized
