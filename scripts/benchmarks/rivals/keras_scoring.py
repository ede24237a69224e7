"""MC-dropout BALD in plain Keras: the whole network, K times."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Floats, Images

BATCH = 500

Score = Callable[[Images], Floats]


def eager(model: keras.Model, passes: int) -> Score:
    """A loop of K calls ``model(x, training=True)``, as tutorials write it.

    Args:
        model: To logits, with frozen BatchNorm.
        passes: K.
    """

    def score(images: Images) -> Floats:
        parts = []
        for start in range(0, len(images), BATCH):
            batch = tf.constant(images[start : start + BATCH], tf.float32) / 255.0
            probs = [tf.nn.softmax(model(batch, training=True)).numpy() for _ in range(passes)]
            parts.append(_bald(np.stack(probs)))
        return np.concatenate(parts)

    return score


def graph(model: keras.Model, passes: int) -> Score:
    """The same loop inside one ``tf.function``."""

    @tf.function(reduce_retracing=True)
    def of_batch(batch: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(batch, tf.float32) / 255.0
        mean = tf.zeros((tf.shape(batch)[0], model.output_shape[1]))
        entropy = tf.zeros(tf.shape(batch)[0])
        for _ in tf.range(passes):
            probs = tf.nn.softmax(tf.cast(model(pixels, training=True), tf.float32))
            mean += probs / passes
            entropy -= tf.reduce_sum(tf.math.xlogy(probs, probs), 1) / passes
        return -tf.reduce_sum(tf.math.xlogy(mean, mean), 1) - entropy

    def score(images: Images) -> Floats:
        starts = range(0, len(images), BATCH)
        parts = [of_batch(tf.constant(images[start : start + BATCH])) for start in starts]
        return np.concatenate([part.numpy() for part in parts])

    return score


def _bald(probs: Floats) -> Floats:
    """Of probabilities ``[K, N, C]``."""
    logs = np.log(np.maximum(probs, 1e-30))
    mean = probs.mean(0)
    entropy = -(mean * np.log(np.maximum(mean, 1e-30))).sum(1)
    return entropy + (probs * logs).sum(2).mean(0)
