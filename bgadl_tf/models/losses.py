"""Per-example loss terms, and the one place where they are averaged.

Every term is a pure function that returns one float32 number per example, ``[B]``, so that a
weighted sum of terms is still per example and scaling happens once, in ``global_mean``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf


def cross_entropy(log_probs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Negative log-likelihood of the labels, in nats.

    Args:
        log_probs: ``[B, C]`` log-probabilities.
        labels: ``[B]`` class indices.

    Returns:
        ``[B]`` float32.
    """
    return -tf.gather(tf.cast(log_probs, tf.float32), labels, axis=1, batch_dims=1)


def soft_cross_entropy(log_probs: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Cross-entropy against distributions over the classes, in nats.

    Args:
        log_probs: ``[B, C]`` log-probabilities.
        targets: ``[B, C]`` probabilities.

    Returns:
        ``[B]`` float32.
    """
    return -tf.reduce_sum(targets * tf.cast(log_probs, tf.float32), axis=1)


def multiclass_hinge(margins: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """max(0, 1 + the largest margin of another class - that of the label).

    Source: Crammer and Singer 2001, "On the Algorithmic Implementation of Multiclass Kernel-based
    Vector Machines". Of two classes it is max(0, 1 - s (f_1 - f_0)), s = -1 or 1 being the label.

    Args:
        margins: f ``[B, C]``, up to a constant of each example: log-probabilities, for one.
        labels: ``[B]`` class indices.

    Returns:
        ``[B]`` float32.
    """
    margins = tf.cast(margins, tf.float32)
    own = tf.gather(margins, labels, axis=1, batch_dims=1)
    is_own = tf.one_hot(labels, margins.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    other = tf.reduce_max(tf.where(is_own, margins.dtype.min, margins), axis=1)
    return tf.nn.relu(1.0 + other - own)


def reconstruction(examples: tf.Tensor, reconstructed: tf.Tensor) -> tf.Tensor:
    """Squared error |x - x'|^2, summed over the values of each example.

    A sum and not a mean: against the adversarial and class terms, each about 1, the mean over
    784 pixels is so small that the generator ignores it and x' never comes near x.

    Args:
        examples: ``[B, *shape]``, images in [0, 1].
        reconstructed: The same shape.

    Returns:
        ``[B]`` float32, squared units of a value.
    """
    axes = range(1, examples.shape.rank)
    return tf.reduce_sum(tf.square(examples - reconstructed), axis=[*axes])


def relative_reconstruction(examples: tf.Tensor, rebuilt: tf.Tensor) -> tf.Tensor:
    """|x - x'|^2 / v, ``[B]``; 1 on average where x' is the mean of the global batch.

    Args:
        examples: ``[B, *shape]``.
        rebuilt: The same shape.
    """
    count = summed_over_replicas(tf.cast(tf.shape(examples)[0], tf.float32))
    mean = summed_over_replicas(tf.reduce_sum(examples, 0)) / count
    variance = global_mean(reconstruction(examples, mean))
    return tf.math.divide_no_nan(reconstruction(examples, rebuilt), summed_over_replicas(variance))


def kl_divergence(mean: tf.Tensor, log_variance: tf.Tensor, free_bits: float = 0.0) -> tf.Tensor:
    """KL(N(mean, variance) || N(0, I)), summed over the latent dimensions, in nats.

    Sources: Kingma and Welling 2013, appendix B; free bits: Kingma et al. 2016, "Improving
    Variational Inference with Inverse Autoregressive Flow", equation 15 with groups of one.

    Args:
        mean: ``[B, Z]``; of another unit Gaussian than N(0, I), the difference from its mean.
        log_variance: ``[B, Z]``.
        free_bits: Nats. A dimension whose mean over the global batch is not above counts as so
            many, and has no gradient that would push it lower; 0 for the divergence as it is.

    Returns:
        ``[B]`` float32.
    """
    each = 0.5 * (tf.square(mean) + tf.exp(log_variance) - log_variance - 1.0)
    if free_bits > 0:
        total, count = tf.reduce_sum(each, 0), tf.cast(tf.shape(each)[0], tf.float32)
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            context = tf.distribute.get_replica_context()
            total, count = context.all_reduce(
                tf.distribute.ReduceOp.SUM, [tf.stop_gradient(total), count]
            )
        each = tf.where(total > free_bits * count, each, tf.fill(tf.shape(each), free_bits))
    return tf.reduce_sum(each, axis=1)


def cross_entropy_real(logits: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of a discriminator's logits against "real", in nats.

    Args:
        logits: ``[B]``.

    Returns:
        ``[B]`` float32: the discriminator's loss on real images, and the non-saturating loss
        of a generator that wants to fool it (Goodfellow et al. 2014).
    """
    return tf.nn.softplus(-logits)


def cross_entropy_fake(logits: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of a discriminator's logits ``[B]`` against "fake", in nats."""
    return tf.nn.softplus(logits)


def negative_cosine(predictions: tf.Tensor, projections: tf.Tensor) -> tf.Tensor:
    """-cos(p, z), with no gradient through z: without the stop-gradient all outputs collapse.

    Source: Chen and He 2021, "Exploring Simple Siamese Representation Learning", equations 1
    and 3.

    Args:
        predictions: p ``[B, d]``.
        projections: z ``[B, d]``.

    Returns:
        ``[B]`` float32, in [-1, 1].
    """
    predictions, projections = (
        tf.math.l2_normalize(tf.cast(values, tf.float32), axis=1)
        for values in (predictions, tf.stop_gradient(projections))
    )
    return -tf.reduce_sum(predictions * projections, axis=1)


def feature_matching(real: tf.Tensor, generated: tf.Tensor, distance: str = "squared") -> tf.Tensor:
    """How far the means of features are apart over the global batch.

    Source: Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.1.

    Args:
        real: ``[B, F]``.
        generated: ``[B, F]``; the gradient flows through these alone.
        distance: ``squared`` or ``absolute``, a mean over the features.

    Returns:
        ``[B]`` float32, the same for every example. Its gradient is that of the distance, though
        none passes from replica to replica.
    """
    count = summed_over_replicas(tf.cast(tf.shape(real)[0], tf.float32))
    apart = summed_over_replicas(tf.reduce_sum(tf.stop_gradient(generated - real), 0)) / count
    value, slope = DISTANCES[distance](apart)
    linear = tf.reduce_mean(slope * generated, axis=1)
    return tf.reduce_mean(value) + linear - tf.stop_gradient(linear)


DISTANCES: Mapping[str, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]] = {
    "squared": lambda apart: (tf.square(apart), 2.0 * apart),
    "absolute": lambda apart: (tf.abs(apart), tf.sign(apart)),
}
"""Of differences, and their derivatives."""


def global_mean(per_example: tf.Tensor) -> tf.Tensor:
    """Local sum over the *global* batch size: the replicas' results add up to the mean.

    Keras optimizers add up the gradients of the replicas, so this, and not a local mean, makes
    one step on R replicas the same as one step on one replica, also with uneven batches.

    Args:
        per_example: ``[B]``, this replica's share of the batch.

    Returns:
        Scalar float32.
    """
    count = summed_over_replicas(tf.cast(tf.shape(per_example)[0], tf.float32))
    return tf.math.divide_no_nan(tf.reduce_sum(tf.cast(per_example, tf.float32)), count)


def summed_over_replicas(values: tf.Tensor) -> tf.Tensor:
    """The sum of what every replica has, on each of them; no gradient should pass through it."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)


def scale_gradient(values: tf.Tensor, factor: float) -> tf.Tensor:
    """The same values; what flows back through them is multiplied by ``factor``."""
    # Not tf.custom_gradient: what that traces stays in memory for ever.
    constant = tf.stop_gradient(values)
    return constant + factor * (values - constant)
