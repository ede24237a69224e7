"""By what examples in TFRecord files are recognised again: their bytes, encoded."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Rows
from bgadl_tf.data.contents import CHUNK, Contents, Digests, digest_of
from bgadl_tf.data.records.record_index import RecordIndex

_IMAGE = {"image": tf.io.FixedLenFeature([], tf.string)}


class RecordContents(Contents):
    """Digests of encoded images; the same whether they are streamed or not, and at any size.

    Args:
        index: Where they are.
    """

    def __init__(self, index: RecordIndex) -> None:
        self._index = index

    def stamps(self, rows: Rows) -> Digests | None:
        try:
            of_files = [path.stat() for path in self._index.paths]
        except OSError as error:
            raise DataError(f"{error.filename!r} is gone: {error.strerror}") from error
        stamps = [digest_of(f"{file.st_size} {file.st_mtime_ns}".encode()) for file in of_files]
        return np.array(stamps, np.uint64)[self._index.files_of(rows)]

    def digests(self, rows: Rows) -> Digests:
        digests = np.empty(len(rows), np.uint64)
        for start in range(0, len(rows), CHUNK):
            piece = slice(start, start + CHUNK)
            try:
                records = self._index.read(rows[piece])
            except OSError as error:
                raise DataError(
                    f"cannot read records in {self._index.paths[0].parent}: {error}"
                ) from error
            # Beside the image a record holds the label, and often a number of its own.
            images = tf.io.parse_example(records, _IMAGE)["image"].numpy()
            digests[piece] = [digest_of(image) for image in images]
        return digests
