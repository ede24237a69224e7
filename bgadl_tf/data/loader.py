"""What every kind of dataset registers: a function from a request to a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bgadl_tf.core.registry import Registry
from bgadl_tf.data.dataset import Dataset


@dataclass(frozen=True)
class LoadRequest:
    """What is to be loaded. A kind of dataset uses what concerns it.

    Attributes:
        argument: What follows the colon in ``--dataset kind:argument``; for a TFDS builder its
            name; else empty.
        data_dir: Folder of prepared TFDS datasets, or None for TFDS's own.
        image_size: Resize every image to this many pixels a side, or None.
        seed: Root seed; decides which examples are held out where no test split is given.
        stream: Read training examples when they are needed; nothing else changes.
    """

    argument: str = ""
    data_dir: str | None = None
    image_size: int | None = None
    seed: int = 0
    stream: bool = False


Loader = Callable[[LoadRequest], Dataset]
"""Loads one kind of dataset; raises a DataError where data is missing, empty or malformed."""

LOADERS: Registry[Loader] = Registry("dataset", "bgadl_tf.data.datasets")
