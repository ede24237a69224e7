"""Variation ratios: 1 - share of passes that vote for the mode (Freeman 1965; Gal et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.learners.abilities import MCDropout


@ACQUISITIONS.register("variation_ratios")
@dataclass(frozen=True)
class VariationRatios(ScoreAcquisition):
    """Asks where the votes of the MC passes are most divided."""

    needs = (MCDropout,)

    def score(self, evidence: Evidence) -> tf.Tensor:
        return scores.variation_ratio(evidence.moments)
