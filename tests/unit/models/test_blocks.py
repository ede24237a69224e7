"""The activation of encoder and discriminator."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.models.blocks import leaky_relu
from bgadl_tf.models.losses import scale_gradient


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_leaky_relu_is_tensorflows(dtype: tf.DType) -> None:
    values = tf.cast(tf.constant([-3.0, -0.5, 0.0, 0.5, 3.0]), dtype)
    results = []
    for function in (leaky_relu, tf.nn.leaky_relu):
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = function(values, 0.2)
            total = tf.reduce_sum(outputs * tf.cast(tf.range(1, 6), dtype))
        results.append((outputs, tape.gradient(total, values)))
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_array_equal(tf.cast(ours, tf.float32), tf.cast(theirs, tf.float32))


@pytest.mark.parametrize("function", [leaky_relu, scale_gradient])
def test_what_was_traced_is_freed(function: Callable[[tf.Tensor, float], tf.Tensor]) -> None:
    def gradient(values: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(values)
            outside = function(values, 0.2)
        return tape.gradient(outside, values)

    graph = weakref.ref(tf.function(gradient).get_concrete_function(tf.TensorSpec((3,))).graph)
    gc.collect()
    assert graph() is None
