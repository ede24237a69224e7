"""Evidence that generated examples are any good, and the weight that follows from it.

Running means, over about the last 100 steps, of::

    r = E|x - x'|^2 / E|x - mean|^2                     what E and G leave unexplained of x
    e = 1/2 E[1 - D(x)] + 1/2 E[D(generated)]           how often D is wrong

give the ramp ``max(0, 1 - r) min(1, 2 e)``, in [0, 1]: it falls with r and rises with e. 1 - r is
the explained share of the variance; 1 - 2 e is, for the best D = p / (p + q) (Goodfellow et al.
2014, proposition 1), half the triangular discrimination of real p and generated q, 0 where they are
the same. A learner that reconstructs nothing has the second factor alone. Before the first step r
counts as 1 and e as 0: there is no evidence yet.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from bgadl_tf.learners.running_means import RunningMeans

MISTAKES = ("mistakes",)
RECONSTRUCTION = ("error", "spread")


def ramp(means: RunningMeans) -> tf.Tensor:
    """How far generated examples have shown to be good, scalar in [0, 1].

    Args:
        means: Of ``MISTAKES``, and perhaps of ``RECONSTRUCTION``.
    """
    confusion = tf.minimum(2.0 * means.grown_from_zero("mistakes"), 1.0)
    if "error" not in means.names:
        return confusion
    error, spread = (means.grown_from_zero(name) for name in RECONSTRUCTION)
    return tf.math.divide_no_nan(tf.maximum(spread - error, 0.0), spread) * confusion


def mistakes(real: tf.Tensor, generated: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """D's mean error, half of it on real examples and half on generated ones, scalar in [0, 1].

    Args:
        real: D's loss -log D(x) on real examples ``[B]``, in nats.
        generated: -log(1 - D) on groups of generated ones, each ``[B]``.
    """
    wrong = [tf.reduce_mean(-tf.math.expm1(-loss)) for loss in generated.values()]
    return 0.5 * tf.reduce_mean(-tf.math.expm1(-real)) + 0.5 * tf.add_n(wrong) / len(wrong)


def spread(examples: tf.Tensor) -> tf.Tensor:
    """Mean squared distance |x - mean|^2 to the mean of the whole batch, of this replica's share.

    Args:
        examples: ``[B, *shape]``.

    Returns:
        Scalar float32, squared units of a value.
    """
    mean = tf.reduce_mean(examples, 0)
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync > 1:
        mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
    axes = [*range(1, examples.shape.rank)]
    return tf.reduce_mean(tf.reduce_sum(tf.square(examples - mean), axes))
