"""Acquisition scores as pure functions of the predictive distribution.

Sources: Houlsby et al. 2011 and Gal et al. 2017 (BALD), Settles 2009 (margin, least
confidence), Freeman 1965 (variation ratio), Kendall et al. 2015 (mean STD). Entropies are in
nats; for every score larger is more informative.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_probability as tfp

from bgadl_tf.models.predictive import Predictive


def predictive_entropy(predictive: Predictive) -> tf.Tensor:
    """H[E p], ``[N]``, nats."""
    # TFP renormalises nothing: a mean of K rounded softmaxes may miss 1 by a few ulp.
    probs = predictive.mean_probs / tf.reduce_sum(predictive.mean_probs, 1, keepdims=True)
    return tf.nn.relu(tfp.distributions.Categorical(probs=probs).entropy())


def mutual_information(predictive: Predictive) -> tf.Tensor:
    """BALD, H[E p] - E H[p], ``[N]``, nats; what rounding makes negative is 0."""
    return tf.nn.relu(predictive_entropy(predictive) - predictive.expected_entropy)


def variation_ratio(predictive: Predictive) -> tf.Tensor:
    """1 - share of passes that vote for the most voted class, ``[N]``."""
    return 1.0 - tf.reduce_max(predictive.votes, 1)


def mean_std(predictive: Predictive) -> tf.Tensor:
    """Population standard deviation of p over passes, averaged over classes, ``[N]``."""
    return tf.reduce_mean(predictive.std_probs, 1)


def least_confidence(predictive: Predictive) -> tf.Tensor:
    """1 - max E p, ``[N]``."""
    return 1.0 - tf.reduce_max(predictive.mean_probs, 1)


def negative_margin(predictive: Predictive) -> tf.Tensor:
    """Minus the gap between the two most probable classes of E p, ``[N]``."""
    top = tf.math.top_k(predictive.mean_probs, k=2).values
    return top[:, 1] - top[:, 0]
