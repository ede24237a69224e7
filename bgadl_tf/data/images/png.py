"""Pixels as a PNG file. Imports no TensorFlow: clients write them, too."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgadl_tf.core.errors import DataError


def to_png(image: NDArray[np.uint8]) -> bytes:
    """One image as a PNG file: lossless, and much shorter than JSON.

    Args:
        image: uint8 [H, W, D] with D = 1 or 3.

    Raises:
        DataError: It has another type or shape.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] not in (1, 3):
        raise DataError(
            f"an image is {image.dtype} {list(image.shape)}; expected uint8 [H, W, D], D = 1 or 3"
        )
    file = io.BytesIO()
    pixels = image[..., 0] if image.shape[-1] == 1 else image
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
    return file.getvalue()
