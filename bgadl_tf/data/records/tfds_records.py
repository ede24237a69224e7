"""Reading a prepared TFDS split, in the order of its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bgadl_tf.core.errors import DataError, StreamError
from bgadl_tf.core.types import ImageShape
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.images.resize import resize as resized
from bgadl_tf.data.records.record_contents import RecordContents
from bgadl_tf.data.records.record_images import RecordImages
from bgadl_tf.data.records.record_index import RecordIndex, read_index

BATCH = 1000

Columns = dict[str, Any]
"""``tfds_id``, ``image`` and ``label`` of a batch, as NumPy arrays."""


def read_split(
    builder: Any,
    split: str,
    image_size: int | None,
    *,
    resize: str = "stretch",
    stream: bool = False,
) -> ExampleSet:
    """Reads one split.

    Args:
        builder: A prepared ``tfds.core.DatasetBuilder`` with the features ``image`` and
            ``label``.
        split: Name of the split.
        image_size: Resize every image to this many pixels a side, or None.
        resize: How, of ``images.resize.MODES``.
        stream: Leave the images in the files until they are needed.

    Raises:
        DataError: The images have different sizes and ``image_size`` is None, or there are none.
        StreamError: They are to be streamed and the files are no TFRecords.
        tf.errors.OpError: The files are damaged.
        OSError: Files are damaged or missing.
    """
    if not builder.info.splits[split].num_examples:
        raise DataError(f"the {split} split of dataset {builder.name!r} is empty")
    if obstacle := _no_plain_records(builder, split):
        if stream:
            raise StreamError(
                f"the {split} split of dataset {builder.name!r} {obstacle}, and --stream reads "
                "only complete TFRecord files; leave --stream out"
            )
        return _through_tfds(builder, split, image_size, resize)
    *size, channels = builder.info.features["image"].shape
    mixed = None in size and image_size is None
    index = read_index(builder, split, sizes=mixed)
    if image_size is not None:
        size = [image_size, image_size]
    elif mixed:
        size = _one_size(builder.name, index, channels)
    shape = (*size, channels)
    source = RecordImages(builder.info.features["image"], index, shape, resize)
    images = ExampleSet(index.ids(), source, index.labels, RecordContents(index))
    return images if stream else images.in_memory()


def _no_plain_records(builder: Any, split: str) -> str:
    """Why TFDS alone can read the files; empty where we can."""
    info = builder.info
    if not info.features["image"].shape[-1]:
        return "has images of any number of channels"
    if info.file_format is None or info.file_format.value != "tfrecord":
        form = "an unknown form" if info.file_format is None else info.file_format.value
        return f"is in {form}"
    missing = [path.name for path in info.splits[split].filepaths if not path.exists()]
    return f"misses {missing[0]}" if missing else ""


def _one_size(name: str, index: RecordIndex, channels: int) -> list[int]:
    assert index.sizes is not None
    first = index.sizes[0]
    if len(odd := np.flatnonzero((index.sizes != first).any(axis=1))):
        raise _different_sizes(
            name,
            (index.id_of(0), (*first.tolist(), channels)),
            (index.id_of(int(odd[0])), (*index.sizes[odd[0]].tolist(), channels)),
        )
    return [int(side) for side in first]


def _different_sizes(name: str, *images: tuple[str, ImageShape]) -> DataError:
    told = ", ".join(f"{id_} is {list(shape)}" for id_, shape in images)
    return DataError(
        f"images of dataset {name!r} have different sizes: {told}; resize them with --image-size"
    )


# Formats that TFDS alone can read


def _through_tfds(builder: Any, split: str, image_size: int | None, mode: str) -> ExampleSet:
    mixed = None in builder.info.features["image"].shape
    batches = (_one_by_one if mixed else _batched)(builder, split, image_size)
    ids: list[str] = []
    images, labels = [], []
    for batch in batches:
        ids += [id_.decode() for id_ in batch["tfds_id"]]
        pixels = batch["image"]
        images.append(pixels if image_size is None else resized(pixels, image_size, mode))
        labels.append(batch["label"].astype(np.int32))
    return ExampleSet(tuple(ids), np.concatenate(images), np.concatenate(labels))


def _batched(builder: Any, split: str, image_size: int | None) -> Iterator[Columns]:
    yield from _dataset(builder, split).batch(BATCH).prefetch(2).as_numpy_iterator()


def _one_by_one(builder: Any, split: str, image_size: int | None) -> Iterator[Columns]:
    """Images that may have any size each, in batches of one."""
    first: Columns | None = None
    for example in _dataset(builder, split).prefetch(BATCH).as_numpy_iterator():
        first = first or example
        if image_size is None and example["image"].shape != first["image"].shape:
            raise _different_sizes(
                builder.name,
                *((each["tfds_id"].decode(), each["image"].shape) for each in (first, example)),
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
