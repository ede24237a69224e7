"""A run in the features of a frozen backbone: its images through that, computed once and kept."""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.data.dataset import Dataset
from bgadl_tf.runs.config import RunConfig


def embedded(images: Dataset, config: RunConfig, strategy: tf.distribute.Strategy) -> Dataset:
    """The features of a dataset's images, those that are kept already and the others.

    Args:
        images: What the backbone sees.
        config: Says which backbone, how many views, where features are kept and as what.
        strategy: Whose replicas share the work.

    Returns:
        The same ids, labels, classes and contents, with vectors, and with ``embedded``.

    Raises:
        ConfigError: The backbone cannot be had, or gives no features of these images.
        DataError: An image cannot be read, or what is kept is damaged.
    """
    raise NotImplementedError
