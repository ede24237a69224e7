"""Margin: the smallest gap between the two most probable classes (Scheffer et al. 2001)."""

from __future__ import annotations

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.base import ACQUISITIONS, ScoreAcquisition


@ACQUISITIONS.register("margin")
class Margin(ScoreAcquisition):
    """Asks where the two best classes are closest."""

    needs = frozenset()
    score = scores.negative_margin
