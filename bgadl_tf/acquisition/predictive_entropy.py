"""Maximum entropy: H[E p] (Shannon 1948; Gal et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence


@ACQUISITIONS.register("predictive_entropy")
@dataclass(frozen=True)
class PredictiveEntropy(ScoreAcquisition):
    """Asks where the mean prediction is most spread out."""

    def score(self, evidence: Evidence) -> tf.Tensor:
        return scores.predictive_entropy(evidence.moments)
