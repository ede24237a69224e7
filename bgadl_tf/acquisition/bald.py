"""BALD: mutual information of label and weights, H[E p] - E H[p] (Houlsby et al. 2011)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.learners.abilities import MCDropout


@ACQUISITIONS.register("bald")
@dataclass(frozen=True)
class BALD(ScoreAcquisition):
    """Asks where the MC passes disagree most."""

    needs = (MCDropout,)

    def score(self, evidence: Evidence) -> tf.Tensor:
        return scores.mutual_information(evidence.moments)
