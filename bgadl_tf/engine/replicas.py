"""One chunk of examples, shared out over the replicas of a strategy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def on_replicas(
    strategy: tf.distribute.Strategy,
    run: Callable[..., tuple[tf.Tensor, ...]],
    *chunk: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """Run on each replica's share of a chunk; whole results, in the order of the chunk.

    Args:
        strategy: Whose replicas share it.
        run: Is given this replica's rows of every tensor of the chunk, and returns tensors with as
            many rows.
        chunk: ``[n, …]`` each; n is a multiple of the number of replicas, and known.
    """
    share = chunk[0].shape[0] // strategy.num_replicas_in_sync

    def own_share() -> tuple[tf.Tensor, ...]:
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group * share
        own = [
            tf.ensure_shape(part[first : first + share], (share, *part.shape[1:])) for part in chunk
        ]
        parts = run(*own)
        if context.num_replicas_in_sync == 1:
            return tuple(parts)
        return tuple(context.all_gather(part, axis=0) for part in parts)

    results = strategy.run(own_share)
    return tuple(strategy.experimental_local_results(result)[0] for result in results)


def padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Rows ``[n, …]`` and zeros ``[size, …]``."""
    if len(rows) == size:
        return rows
    return np.pad(rows, ((0, size - len(rows)), *((0, 0) for _ in rows.shape[1:])))
