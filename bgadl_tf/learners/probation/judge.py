"""Which examples a judge would give their label, too."""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.models.classifiers.base import Classifier


def passes(classifier: Classifier, examples: tf.Tensor, seed: tf.Tensor, count: int) -> tf.Tensor:
    """Mean probabilities over dropout masks that all examples share (Gal and Ghahramani 2016).

    Args:
        classifier: BatchNorm runs as at inference.
        examples: ``[B, *shape]``.
        seed: ``[2]``, of the masks: the same on every replica.
        count: Masks.

    Returns:
        Log-probabilities ``[B, C]``.
    """
    masks = classifier.head.mc_masks(seed, count)
    log_probs = classifier.head.mc_log_probs(classifier.features(examples), masks)
    return tf.reduce_logsumexp(log_probs, axis=0) - tf.math.log(float(count))


def agrees(log_probs: tf.Tensor, labels: tf.Tensor, least: float) -> tf.Tensor:
    """1 for each example whose label is probable enough, else 0; no gradient comes back.

    Args:
        log_probs: Of the judge, ``[B, C]``.
        labels: ``[B]``.
        least: Probability that a label needs.

    Returns:
        ``[B]`` float32.
    """
    own = tf.gather(tf.cast(log_probs, tf.float32), labels, axis=1, batch_dims=1)
    return tf.stop_gradient(tf.cast(tf.exp(own) >= least, tf.float32))
