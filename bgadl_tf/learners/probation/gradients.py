"""How far the gradient of further examples agrees with the real ones', and what of it counts.

With g of the real examples, h of a group of further ones, both over everything of C that is
trained, and c = cos(g, h)::

    gated:      h if c >= 0, else 0            (Du et al. 2018, arXiv:1812.02224)
    weighted:   max(0, c) h                    (the same, their weighted version)
    projected:  h - min(0, g h) g / |g|^2      (Yu et al., NeurIPS 2020, algorithm 1, for h alone)

Of a gradient that is 0 the cosine is taken to be 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

Gradient = Sequence[tf.Tensor]
"""One tensor a variable."""


def combined(
    gradients: Mapping[str, Gradient], similarity: str
) -> tuple[list[tf.Tensor], dict[str, tf.Tensor]]:
    """One gradient of several.

    Called within each replica; what they return adds up to the combination of the sums, since the
    factors are those of gradients that are summed over all replicas.

    Args:
        gradients: By group, "real" first: this replica's share.
        similarity: gated, weighted or projected.

    Returns:
        This replica's share of the combination, and the share of each further group's gradient
        that counts, a scalar in [0, 1]: its factor, or the share of its length that is left.
    """
    (first, real), *further = gradients.items()
    summed = _over_replicas(gradients)
    square = _dot(summed[first], summed[first])
    own, factors, shares = tf.ones(()), {}, {}
    for group, _ in further:
        product = _dot(summed[first], summed[group])
        length = tf.sqrt(square * _dot(summed[group], summed[group]))
        cosine = tf.clip_by_value(tf.math.divide_no_nan(product, length), -1.0, 1.0)
        factors[group] = tf.ones(())
        if similarity == "projected":
            opposed = tf.minimum(cosine, 0.0)
            own -= tf.math.divide_no_nan(tf.minimum(product, 0.0), square)
            shares[group] = tf.sqrt(1.0 - tf.square(opposed))
        else:
            gate = tf.cast(cosine >= 0.0, tf.float32)
            factors[group] = gate if similarity == "gated" else gate * cosine
            shares[group] = factors[group]
    total = [own * part for part in real]
    for group, gradient in further:
        total = [a + factors[group] * b for a, b in zip(total, gradient, strict=True)]
    return total, shares


def _over_replicas(gradients: Mapping[str, Gradient]) -> Mapping[str, Gradient]:
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    add = tf.distribute.ReduceOp.SUM
    return {group: context.all_reduce(add, [*parts]) for group, parts in gradients.items()}


def _dot(one: Gradient, other: Gradient) -> tf.Tensor:
    products = [tf.reduce_sum(a * b) for a, b in zip(one, other, strict=True)]
    return tf.add_n([tf.cast(product, tf.float32) for product in products])
