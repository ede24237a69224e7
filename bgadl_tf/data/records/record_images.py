"""Images in the TFRecord files of a prepared TFDS split, decoded whenever they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import DataError, plain
from bgadl_tf.core.types import Images, ImageShape, Rows
from bgadl_tf.data.images import resize
from bgadl_tf.data.images.decode_rows import decode_rows
from bgadl_tf.data.records.record_index import RecordIndex
from bgadl_tf.data.source import StoredExamples


class RecordImages(StoredExamples):
    """Images that are decoded, on all cores, whenever they are indexed.

    Args:
        feature: The ``tfds.features.Image`` that knows how.
        index: Where they are.
        shape: Of every image; those of another size are resized.
        mode: How, of ``resize.MODES``.
    """

    def __init__(
        self, feature: Any, index: RecordIndex, shape: ImageShape, mode: str = "stretch"
    ) -> None:
        super().__init__((len(index.labels), *shape))
        self._feature, self._index, self._image_shape = feature, index, shape
        self._mode = mode
        self._decode_graph = tf.function(
            self._graph, input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False
        )

    def read(self, rows: Rows) -> Images:
        """Decodes; see ``ExampleSource``.

        Raises:
            DataError: Files are gone, too short, or hold what is no image.
        """
        images, bad = decode_rows(self._decode, rows, self._image_shape)
        if bad:
            row, error = next(iter(bad.items()))
            why = plain(error.message) if isinstance(error, tf.errors.OpError) else str(error)
            raise DataError(
                f"{len(bad)} of {len(rows)} examples cannot be read in "
                f"{self._index.paths[0].parent}, the first of them {self._index.id_of(row)}: "
                f"{why}; if the files are damaged, remove that folder to prepare it anew"
            )
        return images

    def _decode(self, rows: Rows) -> Images:
        return np.asarray(self._decode_graph(tf.constant(self._index.read(rows))))

    def _graph(self, records: tf.Tensor) -> tf.Tensor:
        def decoded(encoded: tf.Tensor) -> tf.Tensor:
            image = self._feature.decode_example(encoded)
            if tuple(image.shape) != self._image_shape:
                image = resize.resize_tensor(image, self._image_shape[:2], self._mode)
            return tf.ensure_shape(image, self._image_shape)

        # Accelerators need not round like the CPU, and a dataset must be the same everywhere.
        with tf.device("CPU:0"):
            columns = {"image": tf.io.FixedLenFeature([], tf.string)}
            encoded = tf.io.parse_example(records, columns)["image"]
            spec = tf.TensorSpec(self._image_shape, tf.uint8)
            return tf.map_fn(decoded, encoded, fn_output_signature=spec)
