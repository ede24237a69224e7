"""Where the records of a prepared TFDS split lie in its TFRecord files, and their labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.core.types import Id, Labels, Rows
from bgadl_tf.data.images import decode

BATCH = 1000

BEFORE, AFTER = 12, 4
"""Bytes around the content of a record: its length and that number's checksum; a checksum."""


class RecordIndex(NamedTuple):
    """Where every record is.

    Attributes:
        paths: Files, in the order of the split.
        firsts: Row of the first record of each file, and last N, int64 [len(paths) + 1].
        offsets: Where the content of each record begins in its file, int64 [N].
        lengths: Bytes of it, int32 [N].
        labels: int32 [N].
        sizes: Height and width of each image, int64 [N, 2]; None where not asked for.
    """

    paths: Sequence[Path]
    firsts: Rows
    offsets: Rows
    lengths: NDArray[np.int32]
    labels: Labels
    sizes: NDArray[np.int64] | None

    def files_of(self, rows: Rows) -> Rows:
        """Number of the file that each row is in."""
        return np.searchsorted(self.firsts, rows, side="right") - 1

    def id_of(self, row: int) -> Id:
        """File and position in the file, as TFDS says it."""
        file = int(self.files_of(np.array(row)))
        return f"{self.paths[file].name}__{row - self.firsts[file]}"

    def ids(self) -> tuple[Id, ...]:
        """Of all rows."""
        counts = np.diff(self.firsts).tolist()
        return tuple(
            f"{path.name}__{number}"
            for path, count in zip(self.paths, counts, strict=True)
            for number in range(count)
        )

    def read(self, rows: Rows) -> list[bytes]:
        """The records of rows, fastest where these grow.

        Raises:
            OSError: A file is gone or too short.
        """
        files = self.files_of(rows)
        records: list[bytes] = []
        # A file is opened once, where rows grow.
        turns = np.flatnonzero(np.diff(files)) + 1
        for places in np.split(np.arange(len(rows)), turns):
            if not len(places):
                continue
            path = self.paths[int(files[places[0]])]
            with path.open("rb", buffering=0) as file:
                for row in rows[places]:
                    length = int(self.lengths[row])
                    record = os.pread(file.fileno(), length, int(self.offsets[row]))
                    if len(record) != length:
                        raise OSError(f"{path.name} is shorter than it was")
                    records.append(record)
        return records


def read_index(builder: Any, split: str, *, sizes: bool) -> RecordIndex:
    """Reads every record of a split once, from front to back, but decodes no image.

    Args:
        builder: A prepared ``tfds.core.DatasetBuilder`` with the features ``image`` and
            ``label``, in TFRecord files.
        split: Name of the split, which is not empty.
        sizes: Whether to look what size the images say they have.

    Raises:
        OSError: A file holds fewer records than it should.
        tf.errors.OpError: The files are damaged.
    """
    info = builder.info.splits[split]
    columns = {"label": tf.io.FixedLenFeature([], tf.int64)}
    if sizes:
        columns["image"] = tf.io.FixedLenFeature([], tf.string)

    def look(records: tf.Tensor) -> tuple[tf.Tensor, ...]:
        parsed = tf.io.parse_example(records, columns)
        looked = tf.strings.length(records, "BYTE"), tf.cast(parsed["label"], tf.int32)
        if not sizes:
            return looked
        spec = tf.TensorSpec((2,), tf.int64)
        return *looked, tf.map_fn(decode.stated_size, parsed["image"], fn_output_signature=spec)

    paths = [Path(path) for path in info.filepaths]
    batches: list[tuple[NDArray[Any], ...]] = []
    offsets: list[Rows] = []
    for path, expected in zip(paths, info.shard_lengths, strict=True):
        records = tf.data.TFRecordDataset(os.fspath(path)).batch(BATCH)
        looked = records.map(look, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
        of_file = list(looked.as_numpy_iterator())
        count = sum(len(batch[0]) for batch in of_file)
        # TensorFlow reads a file that was cut off between two records without an error.
        if count != expected:
            raise OSError(f"{path.name} holds {count} of {expected} examples")
        end = 0
        for batch in of_file:
            ends = end + np.cumsum(batch[0] + (BEFORE + AFTER), dtype=np.int64)
            offsets.append(ends - AFTER - batch[0])
            end = int(ends[-1])
        batches += of_file
    lengths, labels, *rest = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return RecordIndex(
        paths=paths,
        firsts=np.cumsum([0, *info.shard_lengths], dtype=np.int64),
        offsets=np.concatenate(offsets),
        lengths=lengths,
        labels=labels,
        sizes=rest[0] if sizes else None,
    )
