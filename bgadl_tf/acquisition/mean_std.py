"""Mean STD: standard deviation of p over passes, averaged over classes (Kendall et al. 2015)."""

from __future__ import annotations

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import ACQUISITIONS, ScoreAcquisition


@ACQUISITIONS.register("mean_std")
class MeanSTD(ScoreAcquisition):
    """Asks where the class probabilities vary most."""

    needs = frozenset({"mc_dropout"})
    score = scores.mean_std
