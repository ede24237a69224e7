"""Least confidence: 1 - max E p (Lewis and Gale 1994)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence


@ACQUISITIONS.register("least_confidence")
@dataclass(frozen=True)
class LeastConfidence(ScoreAcquisition):
    """Asks where the best class is least probable."""

    def score(self, evidence: Evidence) -> tf.Tensor:
        return scores.least_confidence(evidence.moments)
