"""Images in files of their own: decoded at once, or whenever they are needed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import DataError, plain
from bgadl_tf.core.types import Id, Images, Rows
from bgadl_tf.data.images import decode, formats, reading, resize, unreadable_files
from bgadl_tf.data.images.channels import with_channels
from bgadl_tf.data.images.decode_rows import decode_rows
from bgadl_tf.data.images.header import Header, UnreadableError
from bgadl_tf.data.images.looking import Looked, open_regular
from bgadl_tf.data.images.prepared import pixels
from bgadl_tf.data.images.tree import Entry
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.source import ExampleSource, StoredExamples


class ReadImages(NamedTuple):
    """Images and what is wrong with the others.

    Attributes:
        ids: ``[N]``, of the images that can be read, as far as anyone has looked.
        images: uint8 [N, H, W, D], in memory or decoded when they are needed.
        unreadable: Why an image cannot be read, by its id.
    """

    ids: tuple[Id, ...]
    images: ExampleSource
    unreadable: dict[Id, str]


def read_images(
    root: Path,
    entries: Sequence[Entry],
    looked: Looked,
    *,
    image_size: int | None,
    resize: str,
    stream: bool,
    max_unreadable: float,
    channels: int | None = None,
) -> ReadImages:
    """Reads images.

    Args:
        root: What messages call the place where they are.
        entries: The files; those without a header are passed over.
        looked: What they are.
        image_size: Resize every image to this many pixels a side, or None when they have one
            size.
        resize: How, of ``resize.MODES``.
        stream: Decode images when they are needed; damage behind the header is only found then.
        max_unreadable: Share of the images that may be unreadable.
        channels: D, 1 or 3, or None for one channel when all are grey, else three.

    Raises:
        DataError: Too many are unreadable or none is readable, or sizes differ and
            ``image_size`` is None.
    """
    chosen = [entry for entry in entries if entry.id in looked.headers]
    unreadable = dict(looked.unreadable)
    count = len(chosen) + len(unreadable)
    unreadable_files.check(root, unreadable, count, max_unreadable)
    headers = [looked.headers[entry.id] for entry in chosen]
    files = ImageFiles(root, chosen, headers, image_size, resize, channels)
    ids = tuple(entry.id for entry in chosen)
    if stream:
        return ReadImages(ids, files, unreadable)
    images, bad = files.try_to_read(np.arange(len(ids)))
    if bad:
        unreadable |= {ids[row]: reason for row, reason in bad.items()}
        unreadable_files.check(root, unreadable, count, max_unreadable)
        kept = [row for row in range(len(ids)) if row not in bad]
        for place, row in enumerate(kept):
            images[place] = images[row]  # within the array, which may fill half of the memory
        images, ids = images[: len(kept)], tuple(ids[row] for row in kept)
    return ReadImages(ids, images, unreadable)


class ImageFiles(StoredExamples):
    """Images that are decoded, on all cores, whenever they are indexed.

    What a served graph decodes goes through the same function, so that a file has the same score
    there; the rest through ``pixels``, as in a client.

    Args:
        root: What messages call the place where the files are.
        entries: The files, ``[N]``, at least one.
        headers: Theirs.
        image_size: As for ``read_images``.
        mode: How images are resized, of ``resize.MODES``.
        channels: As for ``read_images``.

    Raises:
        DataError: Sizes differ and ``image_size`` is None.
    """

    def __init__(
        self,
        root: Path,
        entries: Sequence[Entry],
        headers: Sequence[Header],
        image_size: int | None,
        mode: str,
        channels: int | None = None,
    ) -> None:
        if image_size is None:
            _check_sizes(root, entries, headers)
        size = (
            (headers[0].height, headers[0].width)
            if image_size is None
            else (image_size, image_size)
        )
        if channels is None:
            channels = 1 if all(header.grey for header in headers) else 3
        self._image_shape = (*size, channels)
        super().__init__((len(entries), *self._image_shape))
        self._root, self._image_size, self._mode = root, image_size, mode
        self._ids = [entry.id for entry in entries]
        self._paths = [entry.path for entry in entries]
        self._native = np.array([header.native for header in headers])
        self._decode_native = tf.function(
            self._native_graph, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False
        )

    def read(self, rows: Rows) -> Images:
        """Decodes; see ``ExampleSource``.

        Raises:
            DataError: Files are gone or damaged.
        """
        images, bad = self.try_to_read(rows)
        if bad:
            named = unreadable_files.named(
                self._root, {self._ids[row]: why for row, why in bad.items()}
            )
            raise DataError(
                f"{named}; mend them, or remove them and run the same command again: the run goes "
                "on without them"
            )
        return images

    def try_to_read(self, rows: Rows) -> tuple[Images, dict[int, str]]:
        """Images of rows, uint8 [len(rows), H, W, D], and what is wrong with which row."""
        images, bad = decode_rows(self._decode, rows, self._image_shape)
        return images, {row: _reason(error) for row, error in bad.items()}

    def _decode(self, rows: Rows) -> Images:
        native = self._native[rows]
        if native.all():
            return self._decoded(rows)
        images = np.empty((len(rows), *self._image_shape), np.uint8)
        if native.any():
            images[native] = self._decoded(rows[native])
        for place in np.flatnonzero(~native):
            with open_regular(self._paths[rows[place]]) as file:
                image = pixels(file.read())
            image = with_channels(image, self._image_shape[-1])[np.newaxis]
            if self._image_size is not None:
                image = resize.resize(image, self._image_size, self._mode)
            images[place] = self._fitting(image[0])
        return images

    def _fitting(self, image: Images) -> Images:
        if image.shape != self._image_shape:  # NumPy would spread some over a whole image
            raise UnreadableError(
                f"it is {list(image.shape)} now; expected {list(self._image_shape)}"
            )
        return image

    def _decoded(self, rows: Rows) -> Images:
        paths = [os.fsencode(self._paths[row]) for row in rows]
        return np.asarray(self._decode_native(tf.constant(paths)))

    def _native_graph(self, paths: tf.Tensor) -> tf.Tensor:
        def decoded(path: tf.Tensor) -> tf.Tensor:
            image = decode.decode_tensor(tf.io.read_file(path), self._image_shape[-1])
            if self._image_size is not None:
                size = (self._image_size, self._image_size)
                image = resize.resize_tensor(image, size, self._mode)
            return tf.ensure_shape(image, self._image_shape)

        # Accelerators need not round like the CPU, and a dataset must be the same everywhere.
        with tf.device("CPU:0"):
            spec = tf.TensorSpec(self._image_shape, tf.uint8)
            return tf.map_fn(decoded, paths, fn_output_signature=spec)


def describe(looked: Looked, ids: Collection[Id]) -> Intake:
    """What is worth knowing of images: formats, sizes, and what was done to which.

    Args:
        looked: What files are.
        ids: Which of the readable ones.
    """
    headers = [looked.headers[id_] for id_ in ids]
    found: dict[str, Callable[[Header], bool]] = {
        "16 bits a channel: scaled to 8 by the fewest of 8, 12 and 16 bits that hold the "
        "brightest value of the image": lambda header: header.bits == 16,
        f"more than {formats.MOST_PIXELS} pixels: decoded at a half, a quarter or an eighth of "
        "their size": lambda header: header.factor > 1,
        "several frames or pages: the first is used": lambda header: header.several,
    }
    notes = []
    for what, concerns in found.items():
        if count := sum(concerns(header) for header in headers):
            notes.append(f"{count} {'image has' if count == 1 else 'images have'} {what}")
    return Intake(
        notes=tuple(notes),
        formats=dict(Counter(header.format for header in headers).most_common()),
        sizes=dict(Counter(header.size for header in headers).most_common()),
    )


def _check_sizes(root: Path, entries: Sequence[Entry], headers: Sequence[Header]) -> None:
    first = headers[0]
    for entry, header in zip(entries, headers, strict=True):
        if (header.width, header.height) != (first.width, first.height):
            raise DataError(
                f"images of {root} have different sizes: {entries[0].id} is "
                f"{first.width}x{first.height}, {entry.id} is {header.width}x{header.height} "
                "pixels; resize them with --image-size, and --resize crop or pad to keep their "
                "proportions"
            )


def _reason(error: Exception) -> str:
    if isinstance(error, tf.errors.NotFoundError | tf.errors.PermissionDeniedError):
        return plain(error.message)
    return reading.why(error)
