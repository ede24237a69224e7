"""The predictive distribution under MC dropout, reduced to what acquisition scores need.

Only sums over the K passes are kept, so memory is O(N C) however large K is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from bgadl_tf.models import noise, thinned
from bgadl_tf.models.mc_dropout import Masks, Prepared, StochasticHead
from bgadl_tf.models.thinned import Thinned

PASSES_AT_ONCE = 20
"""Passes whose activations are alive together; more no longer fit a core's cache."""

PREPARED_AT_ONCE = 10
"""The same where the masked kernels are made already, so that small steps cost nothing more."""


class Predictive(NamedTuple):
    """Moments of the class probabilities p over K passes.

    Attributes:
        mean_probs: E p, ``[N, C]``.
        std_probs: Population standard deviation of p, ``[N, C]``.
        expected_entropy: E H[p], ``[N]``, nats.
        votes: Share of passes whose most probable class is c, ``[N, C]``.
    """

    mean_probs: tf.Tensor
    std_probs: tf.Tensor
    expected_entropy: tf.Tensor
    votes: tf.Tensor


class _Sums(NamedTuple):
    """Sums over passes; deviations are from the first pass, so that equal passes give exactly 0."""

    deviation: tf.Tensor
    square: tf.Tensor
    entropy: tf.Tensor
    votes: tf.Tensor


def _sums(log_probs: tf.Tensor, pivot: tf.Tensor, classes: int = 2) -> _Sums:
    """Sums over the first axis; ``classes`` is that of the classes, the remaining one N."""
    probs = tf.exp(log_probs)
    deviation = probs - pivot
    return _Sums(
        deviation=tf.reduce_sum(deviation, 0),
        square=tf.reduce_sum(tf.square(deviation), 0),
        # As TFP's of Categorical(logits=log_probs), which takes the log-softmax a second time.
        entropy=-tf.reduce_sum(tf.math.multiply_no_nan(log_probs, probs), (0, classes)),
        votes=tf.reduce_sum(
            tf.one_hot(
                tf.argmax(log_probs, axis=classes),
                log_probs.shape[classes],
                axis=classes,
                dtype=tf.float32,
            ),
            0,
        ),
    )


def _finish(sums: _Sums, pivot: tf.Tensor, count: int) -> Predictive:
    mean = sums.deviation / count
    variance = tf.nn.relu(sums.square / count - tf.square(mean))
    return Predictive(
        mean_probs=tf.clip_by_value(pivot + mean, 0.0, 1.0),
        std_probs=tf.sqrt(variance),
        expected_entropy=sums.entropy / count,
        votes=sums.votes / count,
    )


def from_log_probs(log_probs: tf.Tensor) -> Predictive:
    """Predictive moments of given passes.

    Args:
        log_probs: ``[K, N, C]`` float32 log-probabilities.
    """
    pivot = tf.exp(log_probs[0])
    return _finish(_sums(log_probs, pivot), pivot, log_probs.shape[0])


def seeded_masks(head: StochasticHead, seed: tf.Tensor, mc_samples: int) -> Masks:
    """The K masks of an integer seed, scalar int64: the same in the loop and in an export."""
    return head.mc_masks(noise.pair(seed), mc_samples)


def predict(
    head: StochasticHead, features: tf.Tensor, masks: Masks, kernels: Prepared = None
) -> Predictive:
    """Predictive moments of features under K shared masks, some passes at a time.

    Args:
        head: The classifier's head.
        features: ``[N, F]``.
        masks: Per stage ``[K, width]``; K must be static.
        kernels: ``head.prepared(masks)``, if it was made.
    """
    count = int(masks[0].shape[0])
    if isinstance(kernels, Thinned):
        return _predict_by_columns(thinned.log_probs(kernels, head.stages, features, count))
    at_once = PASSES_AT_ONCE if kernels is None else PREPARED_AT_ONCE
    total: _Sums | None = None
    for start in range(0, count, at_once):
        few = slice(start, start + at_once)
        log_probs = head.mc_log_probs(
            features, [mask[few] for mask in masks], None if kernels is None else kernels[few]
        )
        if total is None:
            pivot = tf.exp(log_probs[0])
        part = _sums(log_probs, pivot)
        total = part if total is None else _Sums(*(a + b for a, b in zip(total, part, strict=True)))
    assert total is not None
    return _finish(total, pivot, count)


def _predict_by_columns(passes: Sequence[tf.Tensor]) -> Predictive:
    """The same from log-probabilities ``[C, N]`` of every pass."""
    pivot = tf.exp(passes[0])
    parts = [
        _sums(tf.stack(passes[start : start + PASSES_AT_ONCE]), pivot, classes=1)
        for start in range(0, len(passes), PASSES_AT_ONCE)
    ]
    moments = _finish(_Sums(*(sum(part) for part in zip(*parts, strict=True))), pivot, len(passes))
    return Predictive(*(part if part.shape.rank == 1 else tf.transpose(part) for part in moments))
