"""Folds of examples by their contents.

The same example is in the same fold at every step and on every replica, in a run and in ``fit``,
and two copies of one example are never on both sides.
"""

from __future__ import annotations

import tensorflow as tf

_MIX = 0x9E3779B97F4A7C15 - 2**64
"""2^64 over the golden ratio, as a signed number: Knuth's multiplicative hash."""


def folds_of(examples: tf.Tensor, folds: int) -> tf.Tensor:
    """The fold of each example.

    Args:
        examples: Floats ``[B, *shape]``, before any transform.
        folds: F.

    Returns:
        ``[B]`` int32 in [0, F).
    """
    values = tf.reshape(tf.cast(examples, tf.float32), (tf.shape(examples)[0], -1))
    bits = tf.cast(tf.bitcast(values, tf.int32), tf.int64)
    # Odd weights by place, so that the same values in another order are another example.
    places = 2 * tf.range(tf.shape(bits, tf.int64)[1]) + 1
    bits = tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, 13))
    mixed = tf.reduce_sum(bits * places, axis=1)
    mixed = tf.bitwise.right_shift(mixed * tf.constant(_MIX, tf.int64), 40)
    return tf.cast(tf.math.floormod(mixed, folds), tf.int32)
