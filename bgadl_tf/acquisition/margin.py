"""Margin: the smallest gap between the two most probable classes (Scheffer et al. 2001)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence


@ACQUISITIONS.register("margin")
@dataclass(frozen=True)
class Margin(ScoreAcquisition):
    """Asks where the two best classes are closest."""

    may_be_negative = True

    def score(self, evidence: Evidence) -> tf.Tensor:
        return scores.negative_margin(evidence.moments)
