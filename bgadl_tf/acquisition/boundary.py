"""How far examples are from the boundaries that a linear last layer draws between classes.

Emam, Chu, Chiang, Czaja, Leapman, Goldblum and Goldstein, "Active Learning at the ImageNet Scale"
(2021): with logits f and the last layer's kernel w, an example of the predicted class k is from the
boundary between k and another class c, in what the last layer sees::

    (f_k - f_c) / |w_k - w_c|
"""

from __future__ import annotations

import tensorflow as tf

FARTHEST = tf.float32.max
"""Distance to a boundary that there is not: classes of equal kernels differ by a constant."""

RESOLUTION = 1e-14
"""Squared distance of two kernels beside their squared lengths, below which they are equal."""


def distances(log_probs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Distances of examples to where the prediction turns into each class.

    Args:
        log_probs: Or logits, ``[n, C]``.
        kernel: Of the last dense layer, ``[P, C]``.

    Returns:
        Float32 ``[n, C]``, units of what the last layer sees, not negative; in the column of the
        predicted class the distance to the nearest boundary.
    """
    between = _between(tf.cast(kernel, tf.float64))
    predicted = tf.argmax(log_probs, axis=1)
    best = tf.gather(log_probs, predicted, batch_dims=1)[:, tf.newaxis]
    norms = tf.gather(between, predicted)
    there_is = norms > 0
    gaps = (best - log_probs) / tf.where(there_is, norms, 1.0)
    found = tf.where(there_is & ~tf.math.is_inf(gaps), gaps, FARTHEST)
    own = tf.one_hot(predicted, log_probs.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    nearest = tf.reduce_min(tf.where(own, FARTHEST, found), 1, keepdims=True)
    # A minimum may pass over what is not a number.
    broken = tf.reduce_any(tf.math.is_nan(log_probs), 1, keepdims=True)
    return tf.where(broken, float("nan"), tf.where(own, nearest, found))


def _between(kernel: tf.Tensor) -> tf.Tensor:
    """Distances of the columns ``[P, C]`` from each other, float32 ``[C, C]``."""
    products = tf.matmul(kernel, kernel, transpose_a=True)
    lengths = tf.linalg.diag_part(products)
    sums = lengths[:, tf.newaxis] + lengths
    squares = sums - 2.0 * products
    squares = tf.where(squares > RESOLUTION * sums, squares, 0.0)
    return tf.cast(tf.sqrt(squares), tf.float32)
