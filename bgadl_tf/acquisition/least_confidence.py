"""Least confidence: 1 - max E p (Lewis and Gale 1994)."""

from __future__ import annotations

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import ACQUISITIONS, ScoreAcquisition


@ACQUISITIONS.register("least_confidence")
class LeastConfidence(ScoreAcquisition):
    """Asks where the best class is least probable."""

    needs = frozenset()
    score = scores.least_confidence
