"""Of which labelled examples more is to be generated than of others.

A generative learner makes as many examples of each labelled one; what it makes of one example may
count more in the classifier's objective than what it makes of another.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.learners.batch import Batch

KINDS = ("uniform", "balanced", "informative")


def emphasis(kind: str, labels: Labels, scores: Floats) -> Floats:
    """Weights of what is generated of each labelled example.

    - ``uniform``: 1.
    - ``balanced``: in proportion to 1 / n_y, with n_y labelled examples of its class, so that every
      class that has any counts as much.
    - ``informative``: in proportion to its score when it was asked for, e.g. BALD; one without a
      score, as of the initial set, has the mean of those that there are. Where some are negative,
      all are taken less the smallest, and that example counts nothing. Where all are equal, or
      none is known, 1.

    Args:
        kind: One of ``KINDS``.
        labels: ``[N]``.
        scores: ``[N]``, larger is more informative; nan where unknown.

    Returns:
        float32 ``[N]``, at least 0, 1 on average.
    """
    weights = np.ones(len(labels))
    known = np.isfinite(scores)
    if kind == "balanced" and len(labels):
        _, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
        weights = 1.0 / counts[places]
    elif kind == "informative" and known.any():
        found = scores[known].astype(np.float64)
        found -= min(0.0, found.min())
        weights = np.full(len(labels), found.mean())
        weights[known] = found
    total = weights.sum()
    if not total > 0:
        return np.ones(len(labels), np.float32)
    given: Floats = (weights * (len(labels) / total)).astype(np.float32)
    return given


def emphasised(per_example: tf.Tensor, batch: Batch) -> tf.Tensor:
    """Loss terms ``[B]`` of what was generated of the labelled examples, under their emphasis."""
    if batch.emphasis is None:
        return per_example
    return per_example * tf.cast(batch.emphasis, per_example.dtype)
