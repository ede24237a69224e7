"""Predictions of rows that bring their own seeds, without one row disturbing another.

A server may merge requests of several clients into one batch, each under its own seed.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from bgadl_tf.core.seeding import SEEDS
from bgadl_tf.models import noise
from bgadl_tf.models.predictive import Predictive

PARALLEL = 4
"""Seeds or images worked on at once; more only costs memory."""


def fresh(count: tf.Tensor) -> tf.Tensor:
    """One seed of the operating system's entropy, another in every call, ``int64 [count]``.

    Ops that take a seed would bake the process's own, if one was set, into the graph and repeat
    after every restart of the server.
    """
    bits = tf.raw_ops.NonDeterministicInts(shape=tf.constant([1]), dtype=tf.int64)
    return tf.repeat(tf.bitwise.bitwise_and(bits, SEEDS - 1), count)


def predict(
    score: Callable[[tf.Tensor, tf.Tensor], Predictive],
    features: tf.Tensor,
    seed: tf.Tensor,
    classes: int,
) -> Predictive:
    """Predictive moments of every row under the masks of its seed; masks are drawn once a seed.

    Args:
        score: From features ``[n, F]`` and a scalar seed to their moments.
        features: ``[N, F]``.
        seed: int64 ``[N]``.
        classes: C.
    """
    count = tf.shape(seed)[0]
    distinct, group = tf.unique(seed)
    row, table = tf.zeros((count,)), tf.zeros((count, classes))
    start = Predictive(mean_probs=table, std_probs=table, expected_entropy=row, votes=table)

    def add(number: tf.Tensor, moments: Predictive) -> tuple[tf.Tensor, Predictive]:
        own = tf.where(group == number)  # [n, 1]
        parts = score(tf.gather_nd(features, own), distinct[number])
        scattered = (
            tf.tensor_scatter_nd_update(moment, own, part)
            for moment, part in zip(moments, parts, strict=True)
        )
        return number + 1, Predictive(*scattered)

    moments: Predictive
    _, moments = tf.while_loop(
        lambda number, _: number < tf.size(distinct), add, (0, start), parallel_iterations=PARALLEL
    )
    return moments


def normal(seed: tf.Tensor, width: int) -> tf.Tensor:
    """Standard normal draws ``[N, width]``, each row from its own seed ``int64 [N]``."""
    return tf.map_fn(
        lambda one: tf.random.stateless_normal([width], noise.pair(one), alg="philox"),
        seed,
        parallel_iterations=PARALLEL,
        fn_output_signature=tf.TensorSpec((width,), tf.float32),
    )
