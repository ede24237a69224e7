"""Datasets in the features of a tiny backbone, and that backbone in a file."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Images, ImageShape
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.projection import Projection
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.features import home_of
from tests.support.examples import some_images, some_labels


def tiny_backbone(path: Path, shape: ImageShape = (12, 12, 3), seed: int = 0) -> Path:
    """Writes a network of one convolution with BatchNorm, 16 features, for pixels from 0 to 255."""
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([
        keras.Input(shape),
        keras.layers.Rescaling(1 / 127.5, -1.0),
        keras.layers.Conv2D(16, 3, strides=2),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    norm = network.layers[2]
    norm.moving_mean.assign(np.linspace(-0.2, 0.2, 16))
    norm.moving_variance.assign(np.linspace(0.05, 0.2, 16))
    network.save(path)
    return path


def in_features(images: Dataset, folder: Path, **settings: object) -> Dataset:
    """The features of a dataset's images through a tiny backbone, kept below a folder."""
    path = folder / "tiny.keras"
    if not path.exists():
        tiny_backbone(path, images.shape)
    config = RunConfig(
        backbone=f"model:{path}", pixel_range="0,255", embeddings=str(folder / "kept"), **settings
    )
    strategy = tf.distribute.get_strategy()
    return home_of(images, config, strategy).computed(images, strategy)


def projected(
    images: Images, folder: Path, components: int | None = None, store: str = "float32"
) -> Dataset:
    """A training set of images in projected features."""
    count = len(images)
    dataset = Dataset.from_arrays(
        images, some_labels(count), test_examples=some_images(20, images.shape[1:], seed=9),
        test_labels=some_labels(20), class_names=[*"abcdefghij"],
    )  # fmt: skip
    features = in_features(dataset, folder, store=store)
    return Projection.fit(features.train.examples, components).of(features)
