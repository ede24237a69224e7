"""A pool of MNIST-sized images on disk, in each of the forms that a pool may have there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from bgadl_tf.core.types import Images, Labels

RECORDS = "bench_pool"
"""Name of the TFDS dataset."""


def write_array(folder: Path, images: Images) -> Path:
    """One ``.npy`` file."""
    path = folder / "images.npy"
    np.save(path, images)
    return path


def write_folder(folder: Path, images: Images, labels: Labels) -> Path:
    """A PNG a file, in one folder a class."""
    root = folder / "png"
    for label in range(10):
        (root / str(label)).mkdir(parents=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image[..., 0]).save(root / str(label) / f"{number:07d}.png")
    return root


def write_records(folder: Path, images: Images, labels: Labels) -> Path:
    """A prepared TFDS dataset: PNGs in one TFRecord file, as ``mnist`` of TFDS is."""
    import tensorflow_datasets as tfds

    data_dir = folder / "tfds"
    home = data_dir / RECORDS / "1.0.0"
    home.mkdir(parents=True)
    features = tfds.features.FeaturesDict({
        "image": tfds.features.Image(shape=images.shape[1:]),
        "label": tfds.features.ClassLabel(num_classes=10),
    })  # fmt: skip
    path = home / f"{RECORDS}-train.tfrecord-00000-of-00001"
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for image, label in zip(images, labels, strict=True):
            example = features.encode_example({"image": image, "label": int(label)})
            writer.write(features.serialize_example(example))
    template = tfds.core.ShardedFileTemplate(
        data_dir=home, dataset_name=RECORDS, split="train", filetype_suffix="tfrecord"
    )
    split = tfds.core.SplitInfo(
        name="train", shard_lengths=[len(images)], num_bytes=path.stat().st_size,
        filename_template=template,
    )  # fmt: skip
    tfds.folder_dataset.write_metadata(
        data_dir=home, features=features, split_infos=[split], check_data=False
    )
    return data_dir
