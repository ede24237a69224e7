"""``arrays:FOLDER``: images that NumPy saved, mapped into memory and read when they are needed.

::

    FOLDER/train_images.npy    uint8 [N, H, W] or [N, H, W, D]
    FOLDER/train_labels.npy    integers [N], -1 where unknown; if absent, all are
    FOLDER/train_ids.txt       one a line; if absent, ids are train-0, train-1, …, zero-padded
    FOLDER/test_images.npy     if these are absent, a fifth of every class is held out by a
    FOLDER/test_labels.npy     seeded draw
    FOLDER/classes.txt         names, one a line; if absent, they are the labels
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bgadl_tf.core.types import Id, Images
from bgadl_tf.data import npy_folder
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.images.resized import Resized
from bgadl_tf.data.loader import FINDERS, LOADERS, LoadRequest
from bgadl_tf.data.source import ExampleSource


@LOADERS.register("arrays")
def load(request: LoadRequest) -> Dataset:
    """Opens a folder of images; they are resized as they are read.

    Args:
        request: Its argument is the folder. Training images stay on disk in any case.

    Returns:
        The dataset; its test images are in memory.

    Raises:
        DataError: The folder or a file is missing or malformed, or files do not fit together.
    """

    def source(images: Images, ids: Sequence[Id]) -> ExampleSource:
        if request.image_size is None:
            return images
        return Resized(images, request.image_size, request.resize)

    return npy_folder.open_folder(npy_folder.Form("arrays", "images", "images", source), request)


@FINDERS.register("arrays")
def find(request: LoadRequest) -> Path:
    """The folder.

    Raises:
        DataError: It is missing.
    """
    return npy_folder.existing("arrays", "images", request.argument)
