"""Mean STD: standard deviation of p over passes, averaged over classes (Kendall et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.learners.abilities import MCDropout


@ACQUISITIONS.register("mean_std")
@dataclass(frozen=True)
class MeanSTD(ScoreAcquisition):
    """Asks where the class probabilities vary most."""

    needs = (MCDropout,)

    def score(self, evidence: Evidence) -> tf.Tensor:
        return scores.mean_std(evidence.moments)
