"""Fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from tests.support.repository import REPOSITORY

# Before anything starts TensorFlow: two replicas on any machine.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(autouse=True, scope="module")
def free_memory() -> Iterator[None]:
    """TensorFlow keeps every graph: with the kernel of its function, and where it has a custom
    gradient, which an optimizer's sum over replicas is, with that in a registry.
    """
    # Once a test has asked for deterministic operations, random ones need a seed.
    tf.random.set_seed(0)
    yield
    traced = [name for name in ops.gradient_registry.list() if name.startswith("CustomGradient-")]
    for name in traced:
        del ops.gradient_registry._registry[name]
    keras.utils.clear_session()


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


@pytest.fixture
def eager() -> Iterator[None]:
    """Nothing is traced: for tests that take so few steps that tracing them is most of their time.

    The same functions are traced elsewhere.
    """
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
