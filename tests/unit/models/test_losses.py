"""Loss terms against constants worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.models import losses


def test_cross_entropy_is_minus_the_log_probability_of_the_label() -> None:
    log_probs = tf.math.log([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]])
    terms = losses.cross_entropy(log_probs, tf.constant([0, 2]))
    np.testing.assert_allclose(terms, [-math.log(0.7), math.log(2)], rtol=1e-6)


def test_reconstruction_sums_squares_over_pixels_and_channels() -> None:
    images = tf.zeros((2, 2, 2, 3))
    other = tf.stack([tf.fill((2, 2, 3), 0.5), tf.fill((2, 2, 3), 0.1)])
    np.testing.assert_allclose(losses.reconstruction(images, other), [3.0, 0.12], rtol=1e-6)


def test_kl_divergence_from_the_standard_normal() -> None:
    # Dimension 1: mean 1, variance 1 -> 1/2. Dimension 2: variance 4 -> (4 - ln 4 - 1) / 2.
    terms = losses.kl_divergence(tf.constant([[1.0, 0.0]]), tf.constant([[0.0, math.log(4.0)]]))
    np.testing.assert_allclose(terms, [0.5 + 0.806853], rtol=1e-5)
    assert losses.kl_divergence(tf.zeros((3, 4)), tf.zeros((3, 4))).numpy().tolist() == [0, 0, 0]


def test_free_bits_leave_alone_the_dimensions_that_tell_little() -> None:
    # Means over the batch: 1/4 and 2 nats. The first is below 1/2 and counts as that, for free.
    mean = tf.Variable([[1.0, 2.0], [0.0, 2.0]])
    with tf.GradientTape() as tape:
        terms = losses.kl_divergence(mean, tf.zeros((2, 2)), free_bits=0.5)
    np.testing.assert_allclose(terms, [2.5, 2.5], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(terms, mean), [[0, 2], [0, 2]], rtol=1e-6)


@pytest.mark.parametrize(("probability", "logit"), [(0.8, math.log(4)), (0.3, math.log(3 / 7))])
def test_adversarial_terms_are_binary_cross_entropies(probability: float, logit: float) -> None:
    logits = tf.constant([logit])
    np.testing.assert_allclose(
        losses.cross_entropy_real(logits), [-math.log(probability)], rtol=1e-5
    )
    np.testing.assert_allclose(
        losses.cross_entropy_fake(logits), [-math.log(1 - probability)], rtol=1e-5
    )


def test_adversarial_terms_stay_finite_for_extreme_logits() -> None:
    logits = tf.constant([-1e4, 1e4])
    assert losses.cross_entropy_real(logits).numpy().tolist() == [1e4, 0.0]
    assert losses.cross_entropy_fake(logits).numpy().tolist() == [0.0, 1e4]


@pytest.mark.parametrize("shares", [(4, 4), (5, 3), (8, 0)])
def test_global_mean_adds_up_to_the_mean_over_replicas(
    mirrored: tf.distribute.Strategy, shares: tuple[int, int]
) -> None:
    values = np.arange(8, dtype=np.float32)
    parts = np.split(values, [shares[0]])

    def local(context: tf.distribute.ValueContext) -> tf.Tensor:
        return tf.constant(parts[context.replica_id_in_sync_group])

    per_replica = mirrored.experimental_distribute_values_from_function(local)
    with mirrored.scope():
        means = mirrored.run(losses.global_mean, args=(per_replica,))
        total = mirrored.reduce(tf.distribute.ReduceOp.SUM, means, axis=None)
    assert float(total) == pytest.approx(3.5)


def test_a_scaled_gradient_leaves_the_values_alone() -> None:
    values = tf.constant([1.0, -2.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        scaled = losses.scale_gradient(values, 0.25)
        total = tf.reduce_sum(tf.square(scaled))
    np.testing.assert_array_equal(scaled, values)
    np.testing.assert_allclose(tape.gradient(total, values), 0.25 * 2.0 * values)
