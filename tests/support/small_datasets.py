"""Small datasets on disk, of every kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from bgadl_tf.data.load import load_dataset

Rows = list[dict[str, Any]]
"""Examples, by feature."""


def prepare(
    data_dir: Path, name: str, features: dict[str, Any], splits: dict[str, Rows], shards: int = 1
) -> Path:
    """Writes a prepared TFDS dataset that only exists as files, as TFDS would."""
    folder = data_dir / name / "1.0.0"
    folder.mkdir(parents=True)
    dictionary = tfds.features.FeaturesDict(features)
    infos = []
    for split, rows in splits.items():
        lengths = []
        for shard in range(shards):
            part = rows[shard::shards]
            path = folder / f"{name}-{split}.tfrecord-{shard:05d}-of-{shards:05d}"
            with tf.io.TFRecordWriter(os.fspath(path)) as writer:
                for row in part:
                    encoded = dictionary.encode_example(row)
                    writer.write(dictionary.serialize_example(encoded))
            lengths.append(len(part))
        template = tfds.core.ShardedFileTemplate(
            data_dir=folder, dataset_name=name, split=split, filetype_suffix="tfrecord"
        )
        infos.append(
            tfds.core.SplitInfo(
                name=split, shard_lengths=lengths, num_bytes=1, filename_template=template
            )
        )
    tfds.folder_dataset.write_metadata(
        data_dir=folder, features=dictionary, split_infos=infos, check_data=False
    )
    return data_dir


def write_folder(root: Path) -> list[str]:
    digits = load_dataset("digits")
    for split, images, count in (("train", digits.train, 150), ("test", digits.test, 40)):
        for row in range(count):
            path = root / split / digits.class_names[images.labels[row]] / f"{row:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images.examples[row : row + 1][0, ..., 0]).save(path)
    return ["--dataset", f"folder:{root}"]


def write_tfds(root: Path) -> list[str]:
    digits = load_dataset("digits")
    features = {
        "image": tfds.features.Image(shape=(8, 8, 1)),
        "label": tfds.features.ClassLabel(num_classes=10),
    }
    splits = {
        split: [
            {"image": image, "label": int(label)}
            for image, label in zip(images.examples[:count], images.labels[:count], strict=True)
        ]
        for split, images, count in (("train", digits.train, 150), ("test", digits.test, 40))
    }
    prepare(root, "digits_here", features, splits, shards=3)
    return ["--dataset", "digits_here", "--data-dir", str(root)]


def write_arrays(root: Path) -> list[str]:
    digits = load_dataset("digits")
    root.mkdir()
    np.save(root / "train_images.npy", digits.train.examples[:150])
    np.save(root / "train_labels.npy", digits.train.labels[:150])
    return ["--dataset", f"arrays:{root}"]


def write_embeddings(root: Path) -> list[str]:
    digits = load_dataset("digits")
    root.mkdir()
    for split, images, count in (("train", digits.train, 150), ("test", digits.test, 40)):
        vectors = images.examples[:count].reshape(count, -1) / np.float32(255)
        np.save(root / f"{split}_embeddings.npy", vectors)
        np.save(root / f"{split}_labels.npy", images.labels[:count])
    return ["--dataset", f"embeddings:{root}"]


def write_nothing(root: Path) -> list[str]:
    return ["--dataset", "digits"]


WRITERS: dict[str, Callable[[Path], list[str]]] = {
    "arrays": write_arrays, "digits": write_nothing, "embeddings": write_embeddings,
    "folder": write_folder, "tfds": write_tfds,
}  # fmt: skip
"""By kind of dataset: writes a small one of digits into a folder that is not there yet, and
returns the flags that name it."""

VECTORS = frozenset({"embeddings"})
"""Kinds whose examples are no images."""
