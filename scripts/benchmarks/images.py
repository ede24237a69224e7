"""Images to measure with: MNIST and CIFAR-10 if they are prepared, else stand-ins of their size."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from bgadl_tf.core.types import Images, ImageShape, Labels
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.load import load_dataset

MNIST: ImageShape = (28, 28, 1)
CIFAR: ImageShape = (32, 32, 3)
BUILDERS = {MNIST: "mnist", CIFAR: "cifar10"}


@functools.cache
def dataset(shape: ImageShape, data_dir: str | None) -> Dataset:
    """A dataset of this shape: the real one from ``data_dir``, else digits scaled up."""
    if builder := _prepared(shape, data_dir):
        return load_dataset(builder, data_dir=data_dir)
    side, channels = shape[0], shape[2]
    digits = load_dataset("digits", image_size=side)
    return Dataset(
        "stand-in", _coloured(digits.train, channels), _coloured(digits.test, channels),
        digits.class_names,
    )  # fmt: skip


def take(shape: ImageShape, count: int, data_dir: str | None) -> tuple[Images, Labels]:
    """So many training images ``uint8 [count, H, W, D]`` and their labels, again and again."""
    train = dataset(shape, data_dir).train
    rows = np.arange(count) % len(train)
    return train.examples[rows], train.labels[rows]


def _coloured(images: ExampleSet, channels: int) -> ExampleSet:
    return ExampleSet(images.ids, np.repeat(images.examples, channels, axis=3), images.labels)


def grey(side: int, data_dir: str | None) -> dict[str, object]:
    """Settings of a run on grey images of this size: MNIST, else digits scaled up."""
    builder = _prepared((side, side, 1), data_dir)
    return {"dataset": builder} if builder else {"dataset": "digits", "image_size": side}


def _prepared(shape: ImageShape, data_dir: str | None) -> str | None:
    """The TFDS builder of real images, where they are; nothing is downloaded."""
    builder = BUILDERS.get(shape)
    return builder if builder in real(data_dir) else None


def real(data_dir: str | None) -> list[str]:
    """The TFDS builders whose images are there; for the others stand-ins are measured."""
    return [b for b in BUILDERS.values() if data_dir is not None and (Path(data_dir) / b).is_dir()]
