"""BALD: mutual information of label and weights, H[E p] - E H[p] (Houlsby et al. 2011)."""

from __future__ import annotations

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import ACQUISITIONS, ScoreAcquisition


@ACQUISITIONS.register("bald")
class BALD(ScoreAcquisition):
    """Asks where the MC passes disagree most."""

    needs = frozenset({"mc_dropout"})
    score = scores.mutual_information
