"""Which examples a gradient step takes, and the reading of those that are not in memory."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from typing import NamedTuple

import tensorflow as tf

from bgadl_tf.data.read_ahead import read_ahead
from bgadl_tf.data.source import ExampleSource, gather

BLOCK_BYTES = 2**24
"""What the examples of one block may take, if one step does not take more."""


class Span(NamedTuple):
    """Steps ``start`` .. ``stop`` - 1 of a round."""

    start: int
    stop: int

    def pieces(self, size: int) -> list[Span]:
        """The same steps, at most ``size`` at a time."""
        return [Span(start, min(start + size, self.stop)) for start in range(*self, size)]


def positions(count: tf.Tensor, seed: tf.Tensor, step: tf.Tensor, batch_size: int) -> tf.Tensor:
    """Positions of the examples of one batch: consecutive pieces of an endless list of epochs.

    Every epoch is a permutation of its own; a batch may straddle two.

    Args:
        count: N, scalar int64.
        seed: ``[2]`` int32 seed of the order.
        step: Number of the batch, scalar int64.
        batch_size: B.

    Returns:
        ``[B]`` int64 in ``[0, N)``.
    """
    return _shuffled(count, seed, step * batch_size + tf.range(batch_size, dtype=tf.int64))


def _shuffled(count: tf.Tensor, seed: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Positions at some places of the endless list, int64 like these."""
    epochs = tf.cast(places // count, tf.int32)
    seeds = tf.concat([tf.tile(seed[tf.newaxis], [tf.size(places), 1]), epochs[:, tf.newaxis]], 1)
    return tf.raw_ops.RandomIndexShuffle(
        index=places % count, seed=seeds, max_index=count - 1, rounds=4
    )


def steps_of_a_block(examples: ExampleSource, batch_size: int) -> int:
    """How many steps' examples of a source are read together."""
    size = math.prod(examples.shape[1:]) * examples.dtype.itemsize
    return max(1, BLOCK_BYTES // (batch_size * size))


def blocks(
    examples: ExampleSource, seed: tf.Tensor, batch_size: int, spans: Iterable[Span]
) -> Generator[tf.Tensor, None, None]:
    """The examples that steps take, read while those before are worked on.

    Args:
        examples: ``[N, *shape]``.
        seed: ``[2]`` int32 seed of the order.
        batch_size: B.
        spans: Steps of each block.

    Yields:
        ``[S B, *shape]`` for S steps: the examples at the ``positions`` of the first, then
        those of the second, and so on.

    Raises:
        DataError: An example cannot be read.
    """

    def read(span: Span) -> tf.Tensor:
        with tf.device("/CPU:0"):
            count = tf.constant(len(examples), tf.int64)
            places = tf.range(*(step * batch_size for step in span), dtype=tf.int64)
            return tf.constant(gather(examples, _shuffled(count, seed, places).numpy()))

    return read_ahead(read, spans)
