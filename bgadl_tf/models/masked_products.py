"""``dropout -> dense`` for K passes whose masks are shared by all examples.

It need not mask K copies of all features: three forms of the same product, one for few examples
and two for many. Each gives ``[K, N, width]`` from features ``[N, F]``, dropout factors ``[K, F]``
and a kernel ``[F, width]``.
"""

from __future__ import annotations

import tensorflow as tf


def from_masked_features(features: tf.Tensor, mask: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Products ``[K, N, width]`` from K masked copies of the features, for few images."""
    return tf.einsum("knf,fw->knw", mask[:, None] * features, kernel)


def from_masked_kernels(features: tf.Tensor, mask: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """The same ``[K, N, width]`` from K masked copies of the kernel."""
    return tf.matmul(features[None], masked_kernels(mask, kernel))


def masked_kernels(mask: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """K masked copies ``[K, F, width]`` of a kernel ``[F, width]``, from ``[K, F]``."""
    return mask[:, :, None] * kernel


def without_dropped(
    rate: float, features: tf.Tensor, mask: tf.Tensor, kernel: tf.Tensor
) -> tf.Tensor:
    """The same ``[K, N, width]`` as one product of everything less K products of what is dropped.

    That is the smaller part, so it saves arithmetic: three quarters of it at a rate of 1/4.
    """
    everything = features @ kernel
    by_feature = tf.transpose(features)  # a feature is one piece of memory
    products = []
    for k in range(mask.shape[0]):
        dropped = tf.where(tf.equal(mask[k], 0.0))[:, 0]
        rows, columns = tf.gather(kernel, dropped), tf.gather(by_feature, dropped)
        products.append(everything - tf.matmul(columns, rows, transpose_a=True))
    return tf.stack(products) / (1.0 - rate)
