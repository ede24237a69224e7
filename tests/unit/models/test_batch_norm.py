"""The fused batch normalisation computes what Keras' own does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.models.batch_norm import BatchNorm

SHAPES = [(16, 6), (5, 4, 3, 6)]


def both(shape: tuple[int, ...], policy: str = "float32") -> list[keras.layers.Layer]:
    """Keras' layer and ours with the same weights, none of them at its initial value."""
    layers = [
        keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=policy),
        BatchNorm(dtype=policy),
    ]
    for layer in layers:
        layer.build((None, *shape[1:]))
        rng = np.random.default_rng(1)
        for weight in layer.weights:
            weight.assign(rng.uniform(0.5, 2.0, weight.shape))
    return layers


def normal(shape: tuple[int, ...], seed: int = 0) -> tf.Tensor:
    return tf.random.stateless_normal(shape, (seed, 1)) * 3.0 + 1.0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("training", [False, True])
def test_outputs_gradients_and_statistics(shape: tuple[int, ...], training: bool) -> None:
    results = []
    for layer in both(shape):
        inputs, weights = normal(shape), [weight.value for weight in layer.trainable_weights]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training)
            loss = tf.reduce_sum(outputs * normal(shape, 2))
        results.append([outputs, *tape.gradient(loss, [inputs, *weights]), *layer.weights])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("training", [False, True])
def test_in_half_the_bits(shape: tuple[int, ...], training: bool) -> None:
    theirs, ours = (
        layer(tf.cast(normal(shape), tf.bfloat16), training=training)
        for layer in both(shape, "mixed_bfloat16")
    )
    assert ours.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(ours, tf.float32), tf.cast(theirs, tf.float32), 0.02, 0.02)


@pytest.mark.parametrize("stride", [1, 2])
def test_behind_a_convolution_it_is_part_of_the_kernel(stride: int) -> None:
    _, norm = both((2, 4, 4, 6))
    convolution = keras.layers.Conv2D(6, 3, strides=stride, padding="same", use_bias=False)
    images = normal((2, 7, 7, 2))
    plain = norm(convolution(images))
    np.testing.assert_allclose(norm.convolve(convolution, images, False), plain, 1e-4, 1e-4)
    trained = norm.convolve(convolution, images, True)
    np.testing.assert_allclose(tf.reduce_mean(trained, (0, 1, 2)), norm.beta, atol=1e-4)


def test_what_is_frozen_is_folded_once() -> None:
    _, norm = both((2, 4, 4, 6))
    convolution = keras.layers.Conv2D(6, 3, padding="same", use_bias=False)
    images = normal((2, 7, 7, 2))
    plain = norm(convolution(images))
    norm.freeze()
    for _ in range(2):
        np.testing.assert_allclose(norm.convolve(convolution, images, False), plain, 1e-4, 1e-4)
        convolution.kernel.assign(0.0 * convolution.kernel)  # seen by nobody any more


def test_two_replicas_share_their_statistics(mirrored: tf.distribute.Strategy) -> None:
    with mirrored.scope():
        norm = BatchNorm()
        norm.build((None, 3))
    inputs = normal((8, 3))

    def half() -> tf.Tensor:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return norm(inputs[replica * 4 : replica * 4 + 4], training=True)

    outputs = mirrored.experimental_local_results(mirrored.run(tf.function(half)))
    alone = BatchNorm()
    np.testing.assert_allclose(np.concatenate(outputs), alone(inputs, training=True), 1e-4, 1e-4)
    np.testing.assert_allclose(
        norm.moving_variance.numpy(), alone.moving_variance.numpy(), 1e-4, 1e-5
    )
