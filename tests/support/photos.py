"""Folders of real images that can be grown."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import sklearn.datasets
from PIL import Image

from bgadl_tf.core.types import Images, Labels

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@functools.cache
def digits() -> tuple[Images, Labels]:
    """All of scikit-learn's digits, uint8 [1797, 8, 8], and their labels."""
    bunch = sklearn.datasets.load_digits()
    images = np.rint(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    return images, bunch.target.astype(np.int32)


def save_digits(root: Path, rows: Iterable[int], folder: str | None = None) -> list[Path]:
    """Write digits as PNG files, a folder a class or all into one.

    Args:
        root: Where to.
        rows: Which ones.
        folder: Of all of them; None for folders with the names of their classes.
    """
    images, labels = digits()
    paths = []
    for row in rows:
        path = root / (NAMES[labels[row]] if folder is None else folder) / f"{row:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[row]).save(path)
        paths.append(path)
    return paths


def rows_of(classes: Iterable[int], start: int = 0, stop: int = 1797) -> list[int]:
    """Digits of some classes within a range of rows."""
    wanted = {*classes}
    return [row for row in range(start, stop) if int(digits()[1][row]) in wanted]
