"""Several batches as one: a network runs once over all, and BatchNorm sees each by itself.

One product with a large kernel instead of three reads the kernel once, casts it once and sums
one gradient. In training, BatchNorm depends on the batch: it treats each group as if it came alone.
"""

from __future__ import annotations

from collections.abc import Collection

import tensorflow as tf

Groups = tuple[int, ...]
"""Sizes of consecutive groups of a batch, in proportion: (2, 1) of 300 images are 200 and 100."""

ALONE: Groups = (1,)
"""A batch that is one group."""


def split(batch: tf.Tensor, groups: Groups) -> list[tf.Tensor]:
    """The groups ``[B_g, ...]`` of a batch ``[B, ...]``, whose size they share out evenly."""
    total = tf.shape(batch)[0] if batch.shape[0] is None else batch.shape[0]
    unit = total // sum(groups)
    return [*tf.split(batch, [size * unit for size in groups], num=len(groups))]


def named(batch: tf.Tensor, names: Collection[str]) -> dict[str, tf.Tensor]:
    """Equal groups ``[B / len(names), ...]`` of a batch ``[B, ...]`` by name."""
    return dict(zip(names, split(batch, (1,) * len(names)), strict=True))
