"""Fixtures that several tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.core.types import Images, ImageShape, Rows
from bgadl_tf.data.source import StoredExamples
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.models.classifiers.base import CLASSIFIERS

# Before anything starts TensorFlow: two replicas on any machine.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_tfds() -> Path:
    """Folder of prepared TFDS datasets beside the repository; skips where there is none."""
    folder = (REPOSITORY / "../shared/tfds").resolve()
    if not folder.is_dir():
        pytest.skip("no folder of prepared TFDS datasets at ../shared/tfds")
    return folder


@pytest.fixture(scope="session")
def mirrored() -> tf.distribute.Strategy:
    """Two replicas; one strategy for the whole process, since a second would collide with it."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def one_device() -> tf.distribute.Strategy:
    """The strategy of code that asks for none."""
    return tf.distribute.get_strategy()


def small_learner(
    name: str, classifier: str = "lenet", shape: ImageShape = (8, 8, 1), **options: object
) -> Learner:
    """A compiled learner that fits a test: narrow networks, seeded weights."""
    learner_type = LEARNERS.get(name)
    if "width" in {*learner_type.options_type.__dataclass_fields__}:
        options = {"width": 0.1, "latent_dim": 5, **options}
    width = {"width": 0.125} if classifier.startswith("resnet") else {}
    learner = learner_type.create(
        CLASSIFIERS.get(classifier)(shape, 10, **width), learner_type.options_type(**options)
    )
    learner.compile()
    reseed(learner)
    return learner


def reseed(learner: Learner, seed: int = 0) -> None:
    """Weights and noise of a learner from a seed."""
    learner.draw(lambda detail: seeding.seed_pair(seed, 0, "weights", detail)[0])
    learner.noise_seed.assign((seed, 7))


def some_images(count: int, shape: ImageShape = (8, 8, 1), seed: int = 0) -> np.ndarray:
    """Random images, ``uint8 [count, H, W, D]``."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


class RecordedImages(StoredExamples):
    """Images that are read when they are needed; remembers the rows of every reading."""

    def __init__(self, images: Images) -> None:
        super().__init__(images.shape)
        self.images = images
        self.asked: list[list[int]] = []

    def read(self, rows: Rows) -> Images:
        self.asked.append(rows.tolist())
        return self.images[rows]


def some_labels(count: int, seed: int = 0) -> np.ndarray:
    """Random labels of ten classes, ``int32 [count]``."""
    return np.random.default_rng(seed).integers(0, 10, count, dtype=np.int32)


def weights_of(learner: Learner) -> dict[str, np.ndarray]:
    """Every weight of every network, by network and number."""
    return {
        f"{name}/{number}": weight.numpy()
        for name, network in learner.networks.items()
        for number, weight in enumerate(network.weights)
    }
