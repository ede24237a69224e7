"""x'' = G(z, y): z moved, not far from that of x', to where the classifier's passes disagree most.

Projected gradient ascent with normalised steps (Madry et al. 2018, "Towards Deep Learning Models
Resistant to Adversarial Attacks", section 2.1, with L2 balls), on BALD instead of a loss and in
latents instead of pixels, so that what comes out is still something that G makes.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.generator import Generator
from bgadl_tf.models.mc_dropout import Masks

_SMALLEST = 1e-12


class Ascended(NamedTuple):
    """Where an ascent has come to.

    Fields:
        latents: ``[B, Z]``.
        distance: From where it began, ``[B]``.
        bald: There, under the masks of the ascent, ``[B]``, nats.
    """

    latents: tf.Tensor
    distance: tf.Tensor
    bald: tf.Tensor


def ascend(
    classifier: Classifier,
    generator: Generator,
    latents: tf.Tensor,
    labels: tf.Tensor,
    masks: Masks,
    steps: int,
    radius: float,
) -> Ascended:
    """The latents of most BALD on the way up, among those that C takes for their label.

    Networks run as at inference, so that no example depends on another. No gradient goes through.

    Args:
        classifier: C.
        generator: G.
        latents: Where it begins, ``[B, Z]``; also where an example stays that finds no better.
        labels: y, ``[B]``.
        masks: K dropout masks, per stage of the head ``[K, width]``.
        steps: Each of 2 ``radius`` / ``steps``, as many suffice to cross the ball.
        radius: Largest distance from the beginning.
    """
    start = tf.stop_gradient(latents)
    here, best = start, start
    highest = tf.fill(tf.shape(labels), -1.0)
    for step in range(steps + 1):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(here)
            features = classifier.features(generator((here, labels)))
            log_probs = classifier.head.mc_log_probs(features, masks)
            bald = mutual_information(log_probs)
        voted = tf.argmax(tf.reduce_mean(tf.exp(log_probs), 0), axis=1, output_type=tf.int32)
        better = bald > highest
        if step:
            better &= tf.equal(voted, labels)
        best = tf.where(better[:, None], here, best)
        highest = tf.where(better, bald, highest)
        if step < steps:
            slope = tape.gradient(bald, here)
            slope /= tf.maximum(tf.norm(slope, axis=1, keepdims=True), _SMALLEST)
            moved = here + (2.0 * radius / steps) * slope - start
            length = tf.maximum(tf.norm(moved, axis=1, keepdims=True), _SMALLEST)
            here = start + moved * tf.minimum(1.0, radius / length)
    best = tf.stop_gradient(best)
    return Ascended(best, tf.norm(best - start, axis=1), tf.stop_gradient(highest))


def mutual_information(log_probs: tf.Tensor) -> tf.Tensor:
    """BALD with a gradient: H[E p] - E H[p], ``[B]``, nats (Houlsby et al. 2011, equation 2).

    Args:
        log_probs: ``[K, B, C]``.
    """
    mean = tf.reduce_mean(tf.exp(log_probs), 0)
    entropy = -tf.reduce_sum(mean * tf.math.log(tf.maximum(mean, _SMALLEST)), 1)
    expected = -tf.reduce_mean(tf.reduce_sum(tf.exp(log_probs) * log_probs, 2), 0)
    return entropy - expected
