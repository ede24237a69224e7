"""Gradient descent on a distance that is 0 at its best, with the step that this makes known.

Polyak's step, (d - d*) / |grad d|^2 along the gradient with d* = 0: on a linear d it reaches 0 at
once, in the nearest point, and it needs no learning rate, whatever the scale of d and of the space.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def descend(
    distance: Callable[[tf.Tensor], tf.Tensor],
    start: tf.Tensor,
    steps: int,
    longest: float,
) -> tf.Tensor:
    """The best point on the way of each example.

    Where the distance is flat, or no number, nothing moves. Time: ``steps`` passes forth and back,
    and one forth.

    Args:
        distance: From points ``[n, Z]`` to ``[n]``, each of its own point alone; at least 0.
        start: ``[n, Z]``.
        steps: How often to step.
        longest: Length that no step exceeds.

    Returns:
        ``[n, Z]``.
    """

    def moved(here: tf.Tensor, best: tf.Tensor, lowest: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            tape.watch(here)
            value = distance(here)
        slope = tape.gradient(value, here, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        best = tf.where((value < lowest)[:, None], here, best)
        lowest = tf.minimum(lowest, value)
        length = tf.norm(slope, axis=1)
        step = tf.minimum(tf.math.divide_no_nan(value, length), longest)
        there = here - step[:, None] * tf.math.divide_no_nan(slope, length[:, None])
        return tf.where(tf.math.is_finite(there), there, here), best, lowest

    nothing_yet = tf.fill(tf.shape(start)[:1], float("inf"))
    here, best, lowest = tf.while_loop(
        lambda *_: True, moved, (start, start, nothing_yet), maximum_iterations=steps
    )
    return tf.where((distance(here) < lowest)[:, None], here, best)
