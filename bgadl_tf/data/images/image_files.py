"""Images in files of their own: read at once, or whenever they are needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from bgadl_tf.core.types import Images, Rows
from bgadl_tf.data.images import decode, image_headers, resize
from bgadl_tf.data.images.decode_rows import decode_rows
from bgadl_tf.data.images.image_headers import Headers
from bgadl_tf.data.source import StoredExamples


def read_images(root: Path, paths: Sequence[Path], image_size: int | None) -> Images:
    """Reads images: one channel when all are grey, else three.

    Args:
        root: Folder that the files are in and messages name them relative to.
        paths: The files, at least one.
        image_size: Resize every image to this many pixels a side, or None when they have one
            size.

    Returns:
        uint8 [len(paths), H, W, D].

    Raises:
        DataError: Files cannot be read, or sizes differ and ``image_size`` is None.
    """
    names = [path.relative_to(root).as_posix() for path in paths]
    headers = image_headers.read_headers(root, names)
    if headers.bad:
        raise image_headers.unreadable(root, {**headers.bad, **_undecodable(root, names, headers)})
    images, bad = ImageFiles(root, names, headers, image_size).try_to_read(np.arange(len(names)))
    if bad:
        raise image_headers.unreadable(root, bad)
    return images


def open_images(root: Path, names: Sequence[str], image_size: int | None) -> ImageFiles:
    """The same images, each decoded when it is needed; only headers are read at once.

    Args:
        root: Folder that the files are in.
        names: Paths relative to it, at least one.
        image_size: As for ``read_images``.

    Raises:
        DataError: As for ``read_images``, but files that are damaged behind the header are only
            found when they are read.
    """
    headers = image_headers.read_headers(root, names)
    if headers.bad:
        raise image_headers.unreadable(root, headers.bad)
    return ImageFiles(root, names, headers, image_size)


class ImageFiles(StoredExamples):
    """Images that are decoded, on all cores, whenever they are indexed.

    PNG and JPEG go through the function that served graphs contain, so that a file has the same
    score there. Pillow has looked at the header of every file and decodes the rest.

    Args:
        root: Folder that the files are in.
        names: Paths relative to it, ``[N]``.
        headers: Of the files, none of them bad.
        image_size: As for ``read_images``.

    Raises:
        DataError: Sizes differ and ``image_size`` is None.
    """

    def __init__(
        self, root: Path, names: Sequence[str], headers: Headers, image_size: int | None
    ) -> None:
        if image_size is None:
            image_headers.check_sizes(root, headers)
        assert headers.first is not None
        header = headers.first[1]
        self._mode = "L" if headers.grey else "RGB"
        size = (header.height, header.width) if image_size is None else (image_size, image_size)
        self._image_shape = (*size, 1 if headers.grey else 3)
        super().__init__((len(names), *self._image_shape))
        self._root, self._names, self._native = root, names, headers.native
        self._image_size = image_size
        self._decode_native = tf.function(
            self._native_graph, input_signature=[tf.TensorSpec((None,), tf.string)]
        )

    def read(self, rows: Rows) -> Images:
        """Decodes; see ``ExampleSource``.

        Raises:
            DataError: Files are gone or damaged.
        """
        images, bad = self.try_to_read(rows)
        if bad:
            # A run that goes on with fewer files would have another pool, or another test set.
            raise image_headers.unreadable(self._root, bad, "mend or restore them")
        return images

    def try_to_read(self, rows: Rows) -> tuple[Images, dict[str, Exception]]:
        """Images of rows, uint8 [len(rows), H, W, D], and what is wrong with which file."""
        images, bad = decode_rows(self._decode, rows, self._image_shape)
        return images, {self._names[row]: error for row, error in bad.items()}

    def _decode(self, rows: Rows) -> Images:
        # Joining them as paths would take half as long as decoding.
        paths = [os.fsencode(f"{self._root}/{self._names[row]}") for row in rows]
        native = self._native[rows]
        if native.all():
            return np.asarray(self._decode_native(tf.constant(paths)))
        images = np.empty((len(rows), *self._image_shape), np.uint8)
        if native.any():
            chosen = [path for path, is_native in zip(paths, native, strict=True) if is_native]
            images[native] = self._decode_native(tf.constant(chosen))
        for place in np.flatnonzero(~native):
            image = decode_by_pillow(Path(os.fsdecode(paths[place])), self._mode)[np.newaxis]
            if self._image_size is not None:
                image = resize.resize(image, self._image_size)
            images[place] = image[0]
        return images

    def _native_graph(self, paths: tf.Tensor) -> tf.Tensor:
        def decoded(path: tf.Tensor) -> tf.Tensor:
            image = decode.decode_tensor(tf.io.read_file(path), len(self._mode))
            if self._image_size is not None:
                image = resize.resize_tensor(image, (self._image_size, self._image_size))
            return tf.ensure_shape(image, self._image_shape)

        # Accelerators need not round like the CPU, and a dataset must be the same everywhere.
        with tf.device("CPU:0"):
            spec = tf.TensorSpec(self._image_shape, tf.uint8)
            return tf.map_fn(decoded, paths, fn_output_signature=spec)


def decode_by_pillow(path: Path, mode: str) -> Images:
    """Pixels of one file, uint8 [H, W, D]; of several frames the first."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert(mode))
    return pixels.reshape(*pixels.shape[:2], -1)


def _undecodable(root: Path, names: Sequence[str], headers: Headers) -> dict[str, Exception]:
    """What is wrong behind the headers, where a person has to mend files anyway."""
    bad: dict[str, Exception] = {}
    for name, native in zip(names, headers.native, strict=True):
        if name in headers.bad:
            continue
        try:
            if native:
                decode.decode_tensor(tf.constant((root / name).read_bytes()), 3)
            else:
                decode_by_pillow(root / name, "RGB")
        except Exception as error:  # decoders fail in many ways, and all mean one thing
            bad[name] = error
    return bad
