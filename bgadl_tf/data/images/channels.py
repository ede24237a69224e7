"""Images with another number of channels."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.types import Images
from bgadl_tf.data.images.decode import decode_tensor
from bgadl_tf.data.images.png import to_png


def with_channels(image: Images, channels: int) -> Images:
    """One image in grey or in colour; what has no colour is alike in every channel.

    Args:
        image: uint8 [H, W, 1] or [H, W, 3].
        channels: D, 1 or 3.

    Returns:
        uint8 [H, W, D].
    """
    if image.shape[-1] > channels:
        # As a served graph makes it of the PNG that it is sent.
        return np.asarray(decode_tensor(to_png(image), channels))
    return np.broadcast_to(image, (*image.shape[:2], channels))
