"""Maximum entropy: H[E p] (Shannon 1948; Gal et al. 2017)."""

from __future__ import annotations

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import ACQUISITIONS, ScoreAcquisition


@ACQUISITIONS.register("predictive_entropy")
class PredictiveEntropy(ScoreAcquisition):
    """Asks where the mean prediction is most spread out."""

    needs = frozenset()
    score = scores.predictive_entropy
