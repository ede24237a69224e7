"""Reading a prepared TFDS split into memory, in the order of its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.data import resize
from bgadl_tf.data.base import ImageSet
from bgadl_tf.errors import DataError

BATCH = 1000

Columns = dict[str, Any]
"""``tfds_id``, ``image`` and ``label`` of a batch, as NumPy arrays."""


def read_split(builder: Any, split: str, image_size: int | None) -> ImageSet:
    """Reads one split.

    Args:
        builder: A prepared ``tfds.core.DatasetBuilder`` with the features ``image`` and
            ``label``.
        split: Name of the split.
        image_size: Resize every image to this many pixels a side, or None.

    Raises:
        DataError: The images have different sizes and ``image_size`` is None.
        tf.errors.OpError: The files are damaged.
    """
    shape = builder.info.features["image"].shape
    if None not in shape:
        batches = (
            _raw(builder, split) if _has_plain_records(builder, split) else _batched(builder, split)
        )
    else:
        batches = _one_by_one(builder, split, image_size)
    ids: list[str] = []
    images, labels = [], []
    for batch in batches:
        ids += [id_.decode() for id_ in batch["tfds_id"]]
        pixels = batch["image"]
        images.append(pixels if image_size is None else resize.resize(pixels, image_size))
        labels.append(batch["label"].astype(np.int32))
    if not ids:
        raise DataError(f"the {split} split of dataset {builder.name!r} is empty")
    return ImageSet(tuple(ids), np.concatenate(images), np.concatenate(labels))


def _raw(builder: Any, split: str) -> Iterator[Columns]:
    """Reads the records themselves: the same as ``_batched``, several times faster."""
    feature = builder.info.features["image"]
    spec = tf.TensorSpec(feature.shape, tf.uint8)
    columns = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }

    def decode(records: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(records, columns)
        images = tf.map_fn(feature.decode_example, parsed["image"], fn_output_signature=spec)
        return {"image": images, "label": parsed["label"]}

    info = builder.info.splits[split]
    for path, length in zip(info.filepaths, info.shard_lengths, strict=True):
        records = tf.data.TFRecordDataset(os.fspath(path)).batch(BATCH)
        decoded = records.map(decode, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
        count = 0
        for batch in decoded.as_numpy_iterator():
            numbers = range(count, count + len(batch["label"]))
            count = numbers.stop
            yield {**batch, "tfds_id": [f"{path.name}__{number}".encode() for number in numbers]}
        # TensorFlow reads a file that was cut off between two records without an error.
        if count != length:
            raise OSError(f"{path.name} holds {count} of {length} examples")


def _batched(builder: Any, split: str) -> Iterator[Columns]:
    yield from _dataset(builder, split).batch(BATCH).prefetch(2).as_numpy_iterator()


def _one_by_one(builder: Any, split: str, image_size: int | None) -> Iterator[Columns]:
    """Images that may have any size each, in batches of one."""
    first: Columns | None = None
    for example in _dataset(builder, split).prefetch(BATCH).as_numpy_iterator():
        first = first or example
        sizes = [each["image"].shape for each in (first, example)]
        if image_size is None and sizes[0] != sizes[1]:
            raise DataError(
                f"images of dataset {builder.name!r} have different sizes: "
                f"{first['tfds_id'].decode()} is {list(sizes[0])}, "
                f"{example['tfds_id'].decode()} is {list(sizes[1])}; resize them with --image-size"
            )
        yield {
            "tfds_id": [example["tfds_id"]],
            "image": example["image"][np.newaxis],
            "label": example["label"][np.newaxis],
        }


def _dataset(builder: Any, split: str) -> Any:
    import tensorflow_datasets as tfds

    config = tfds.ReadConfig(add_tfds_id=True, interleave_cycle_length=1, try_autocache=False)
    features = builder.info.features
    partial = tfds.decode.PartialDecoding({name: features[name] for name in ("image", "label")})
    return builder.as_dataset(
        split=split, shuffle_files=False, read_config=config, decoders=partial
    )


def _has_plain_records(builder: Any, split: str) -> bool:
    info = builder.info
    return (
        info.file_format is not None
        and info.file_format.value == "tfrecord"
        and all(path.exists() for path in info.splits[split].filepaths)
    )
