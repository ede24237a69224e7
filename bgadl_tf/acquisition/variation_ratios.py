"""Variation ratios: 1 - share of passes that vote for the mode (Freeman 1965; Gal et al. 2017)."""

from __future__ import annotations

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import ACQUISITIONS, ScoreAcquisition


@ACQUISITIONS.register("variation_ratios")
class VariationRatios(ScoreAcquisition):
    """Asks where the votes of the MC passes are most divided."""

    needs = frozenset({"mc_dropout"})
    score = scores.variation_ratio
