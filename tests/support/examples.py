"""Random examples and labels, in memory or read when they are needed."""

from __future__ import annotations

import zlib

import numpy as np

from bgadl_tf.core.types import Floats, Images, ImageShape, Labels, Rows
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.source import StoredExamples


def some_images(count: int, shape: ImageShape = (8, 8, 1), seed: int = 0) -> Images:
    """Random images, ``uint8 [count, H, W, D]``."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def tiny_png(name: str) -> bytes:
    """A PNG file of random pixels, others for every name."""
    return to_png(some_images(1, seed=zlib.crc32(name.encode(errors="surrogateescape")))[0])


def some_vectors(count: int, features: int = 12, seed: int = 0) -> Floats:
    """Random vectors, ``float32 [count, features]``."""
    return np.random.default_rng(seed).normal(size=(count, features)).astype(np.float32)


def some_labels(count: int, seed: int = 0) -> Labels:
    """Random labels of ten classes, ``int32 [count]``."""
    return np.random.default_rng(seed).integers(0, 10, count, dtype=np.int32)


class RecordedImages(StoredExamples):
    """Images that are read when they are needed; remembers the rows of every reading."""

    def __init__(self, images: Images) -> None:
        super().__init__(images.shape)
        self.images = images
        self.asked: list[list[int]] = []

    def read(self, rows: Rows) -> Images:
        self.asked.append(rows.tolist())
        return self.images[rows]
