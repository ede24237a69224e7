"""Where the images of a ranking come from: a folder, or a dataset as the training loop reads it."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bgadl_tf.core.errors import ConfigError, DataError, StreamError
from bgadl_tf.core.types import Id
from bgadl_tf.data.images import image_paths
from bgadl_tf.serving.client.images import to_png
from bgadl_tf.serving.client.pool import Item

LARGEST_FILE = 64 * 2**20
"""Bytes; what is longer is no image to be labelled and would only fill the memory."""

TRANSCODED = frozenset({".bmp", ".gif"})
"""Formats that training reads but served models do not; they travel as PNG."""


@dataclass(frozen=True)
class Source:
    """Images under the ids that the training loop gives them.

    Attributes:
        name: Tells sources apart when a ranking is resumed.
        ids: ``[N]``, sorted.
        item: One image by its id.
        folder: Where the files are, for a folder.
        suffix: What a copy of an image needs behind its id to be a file's name.
    """

    name: str
    ids: Sequence[Id]
    item: Callable[[Id], Item]
    folder: Path | None = None
    suffix: str = ""


def folder_source(folder: Path) -> Source:
    """Every image file below a folder, in class folders or not; hidden files are skipped.

    Args:
        folder: Where to look. Ids are POSIX paths relative to it.

    Raises:
        DataError: It is not there, cannot be listed or holds no images.
    """
    root = folder.expanduser()
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise DataError(f"{root} {what}; expected a folder of images")
    paths = image_paths.all_images(root, {os.path.realpath(root)})
    ids = sorted(path.relative_to(root).as_posix() for path in paths)
    if not ids:
        raise DataError(
            f"folder {root} holds no images; expected files ending in "
            f"{', '.join(sorted(image_paths.SUFFIXES))}"
        )

    def item(id_: Id) -> Item:
        return Item(id_, _size(root / id_), lambda: _read(root / id_))

    return Source(f"folder:{root.resolve()}", ids, item, folder=root)


def dataset_source(spec: str, *, data_dir: str | None, split: str) -> Source:
    """Images of a dataset by the name that ``bgadl train --dataset`` takes.

    Args:
        spec: ``digits``, the name of a TFDS builder, ``arrays:PATH``, or ``folder:PATH``, which
            is the same as the folder alone.
        data_dir: Folder of prepared TFDS datasets, or None for the one of TFDS.
        split: ``train`` or ``test``.

    Raises:
        ConfigError: There is no such split.
        DataError: The data is missing or unreadable, or holds vectors.
    """
    kind, _, argument = spec.partition(":")
    if kind == "folder":
        return folder_source(Path(argument))
    if split not in ("train", "test"):
        raise ConfigError(f"--split is {split!r}; choose from train, test")
    # Imports TensorFlow, which a folder does not need.
    from bgadl_tf.data.load import load_dataset

    try:
        dataset = load_dataset(spec, data_dir=data_dir, stream=True)
    except StreamError:
        dataset = load_dataset(spec, data_dir=data_dir)
    if len(dataset.shape) != 3:
        raise DataError(
            f"dataset {dataset.name!r} holds vectors; 'bgadl score' sends images only: name the "
            "images that the vectors are of"
        )
    images = dataset.train if split == "train" else dataset.test
    size = math.prod(dataset.shape)

    def read(id_: Id) -> bytes:
        try:
            return to_png(images.examples_of([id_])[0])
        except DataError as error:
            raise OSError(str(error)) from error

    def item(id_: Id) -> Item:
        return Item(id_, size, lambda: read(id_))

    return Source(f"{dataset.name}/{split}", sorted(images.ids), item, suffix=".png")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong


def _read(path: Path) -> bytes:
    image_paths.check_regular(path)
    size = path.stat().st_size
    if not size:
        raise OSError("the file is empty")
    if size > LARGEST_FILE:
        raise OSError(f"the file has {size} bytes; at most {LARGEST_FILE} are read")
    content = path.read_bytes()
    return content if path.suffix.lower() not in TRANSCODED else _transcoded(content)


def _transcoded(content: bytes) -> bytes:
    """The first frame as PNG: what training reads of such a file."""
    try:
        with warnings.catch_warnings():
            # Pillow only warns of an image that is suspiciously, but not absurdly, large.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                pixels = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    except Exception as error:  # decoders fail in many ways, and all mean one thing
        raise OSError(f"not an image: {error}") from error
    return to_png(pixels.reshape(*pixels.shape[:2], -1))
