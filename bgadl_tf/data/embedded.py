"""Where vectors come from: images, through a frozen backbone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.types import Id, Images, ImageShape


@dataclass(frozen=True)
class Embedded:
    """What vectors are the features of.

    Attributes:
        backbone: File that holds the backbone, a ``models.pretrained.backbone.Backbone`` saved by
            Keras.
        fingerprint: Of that backbone.
        image_shape: (H, W, D) of the images that it saw.
        resize: How encoded images get that size, of ``images.resize.MODES``.
        store: What features are kept as: ``float16`` or ``float32``.
        images: The images of ids, uint8 [n, H, W, D]; raises a DataError where they are no longer
            to be had.
        precision: Of the arithmetic in which features were computed, a policy of Keras.
    """

    backbone: Path
    fingerprint: str
    image_shape: ImageShape
    resize: str
    store: str
    images: Callable[[Sequence[Id]], Images]
    precision: str = "float32"
