"""Several batches as one: what is split, and what BatchNorm makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.models import groups
from bgadl_tf.models.batch_norm import BatchNorm


def test_groups_share_out_a_batch_in_proportion() -> None:
    batch = tf.range(9)
    parts = [part.numpy().tolist() for part in groups.split(batch, (2, 1))]
    assert parts == [[0, 1, 2, 3, 4, 5], [6, 7, 8]]
    found = groups.named(batch, ("a", "b", "c"))
    assert {name: part.numpy().tolist() for name, part in found.items()} == {
        "a": [0, 1, 2], "b": [3, 4, 5], "c": [6, 7, 8]
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(5,), (4, 3, 5)], ids=str)
def test_batch_norm_sees_each_group_by_itself(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    parts = [
        tf.constant(rng.normal(shift, 1.0, (count, *shape)).astype(np.float32))
        for shift, count in ((0.0, 8), (3.0, 4))
    ]
    grouped, separate = BatchNorm(), BatchNorm()
    for layer in (grouped, separate):
        layer.build((None, *shape))
    wanted = tf.concat([separate(part, training=True) for part in parts], 0)
    found = grouped(tf.concat(parts, 0), training=True, groups=(2, 1))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
    for ours, plain in zip(grouped.weights, separate.weights, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-6)
    # As one batch the two would be told apart by their means.
    assert abs(float(tf.reduce_mean(found[:8]) - tf.reduce_mean(found[8:]))) < 1e-5
