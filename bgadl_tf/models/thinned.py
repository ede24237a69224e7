"""MC passes through what their masks leave of a head: no unit that is dropped is computed or read.

Between two layers with dropout of 1/2 before each that is a quarter of the products. The passes are
those of the masks, for callers with many examples under the same ones: what is left of the kernels
is collected once. Examples are columns here, ``[features, N]``, so that the rows which a pass keeps
are whole pieces of memory, and so are the classes that a softmax adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

WIDE = 128
"""Units of the first layer from which on copying what is kept of the features pays."""


class Thinned(NamedTuple):
    """What K masks leave of the dense layers of a head. Ragged, so that no mask is traced anew.

    Attributes:
        rows: Which features each pass reads, and at the end a one for the bias, int32
            ``[K, kept + 1]``; None for all of them.
        kernels: Of each layer ``[K, inputs * outputs]``; the first has its bias as last row.
        biases: Of each layer but the first ``[K, outputs]``.
    """

    rows: tf.RaggedTensor | None
    kernels: Sequence[tf.RaggedTensor]
    biases: Sequence[tf.RaggedTensor]


def thin(
    stages: Sequence[keras.layers.Dense],
    rates: Sequence[float],
    masks: Sequence[tf.Tensor],
    dtype: tf.DType,
) -> Thinned:
    """What masks leave.

    Args:
        stages: Dense layers, dropout before each.
        rates: Of it.
        masks: Dropout factors ``[K, width]`` of each layer's inputs.
        dtype: What the passes compute in.
    """
    passes, classes = masks[0].shape[0], stages[-1].units
    # What the mask of the next layer drops is not computed; of the classes, nothing is.
    kept = [*(mask > 0.0 for mask in masks), tf.ones((passes, classes), tf.bool)]
    rows = None
    if rates[0] >= 0.5 and stages[0].units >= WIDE:
        inputs = tf.concat([kept[0], tf.ones((passes, 1), tf.bool)], 1)
        numbers = tf.broadcast_to(tf.range(inputs.shape[1]), inputs.shape)
        rows = tf.ragged.boolean_mask(numbers, inputs)
    else:
        inputs = tf.ones((passes, masks[0].shape[1] + 1), tf.bool)
    kernels, biases = [], []
    for number, stage in enumerate(stages):
        kernel = tf.cast(masks[number], dtype)[:, :, None] * tf.cast(stage.kernel.value, dtype)
        bias = tf.broadcast_to(tf.cast(stage.bias.value, dtype), (passes, stage.units))
        if number == 0:
            kernel = tf.concat([kernel, bias[:, None]], 1)
        else:
            inputs = kept[number]
            biases.append(tf.ragged.boolean_mask(bias, kept[number + 1]))
        left = inputs[:, :, None] & kept[number + 1][:, None]
        sizes = tf.reduce_sum(tf.cast(left, tf.int64), (1, 2))
        values = tf.boolean_mask(kernel, left)
        kernels.append(tf.RaggedTensor.from_row_lengths(values, sizes, validate=False))
    return Thinned(rows, kernels, biases)


def log_probs(
    thinned: Thinned, stages: Sequence[keras.layers.Dense], features: tf.Tensor, passes: int
) -> list[tf.Tensor]:
    """Log-probabilities of every pass, ``[C, N]`` float32 each.

    Args:
        thinned: What ``thin`` made of these layers.
        stages: The dense layers.
        features: ``[N, F]``.
        passes: K.
    """
    ones = tf.ones((1, tf.shape(features)[0]), features.dtype)
    by_feature = tf.concat([tf.transpose(features), ones], 0)
    rows = [None] * passes if thinned.rows is None else _parts(thinned.rows, passes)
    kernels = [_parts(kernel, passes) for kernel in thinned.kernels]
    biases = [_parts(bias, passes) for bias in thinned.biases]
    classes = stages[-1].units

    def one(k: int) -> tf.Tensor:
        hidden = by_feature if rows[k] is None else tf.gather(by_feature, rows[k])
        for number, stage in enumerate(stages):
            kernel = tf.reshape(kernels[number][k], (tf.shape(hidden)[0], -1))
            hidden = tf.matmul(kernel, hidden, transpose_a=True)
            if number > 0:
                hidden += biases[number - 1][k][:, None]
            if number < len(stages) - 1:
                hidden = stage.activation(hidden)
        return _log_softmax(tf.ensure_shape(hidden, (classes, features.shape[0])))

    return [one(k) for k in range(passes)]


def _parts(ragged: tf.RaggedTensor, count: int) -> list[tf.Tensor]:
    parts: list[tf.Tensor] = tf.split(ragged.values, ragged.row_lengths(), num=count)
    return parts


def _log_softmax(logits: tf.Tensor) -> tf.Tensor:
    """Over the first axis; TensorFlow's own would turn the matrix round and back."""
    logits = tf.cast(logits, tf.float32)
    shifted = logits - tf.reduce_max(logits, 0)
    return shifted - tf.math.log(tf.reduce_sum(tf.exp(shifted), 0))
