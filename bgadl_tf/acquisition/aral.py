"""ARAL: examples that look least like labelled ones in the latent space of the learner's encoder.

Mottaghi and Yeung, "Adversarial Representation Active Learning" (arXiv:1912.09720, 2019). The
selection of VAAL; but encoder and sampler are the learner's (``learners.aral``), trained beside its
classifier, and the encoder is given the label that this classifier predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.learners.abilities import TellsLabelled


@ACQUISITIONS.register("aral")
@dataclass(frozen=True)
class ARAL(ScoreAcquisition):
    """Scores are minus the sampler's logit: the log-odds of "unlabelled", which do not saturate."""

    needs: ClassVar[tuple[type, ...]] = (TellsLabelled,)
    may_be_negative: ClassVar[bool] = True

    def score(self, evidence: Evidence) -> tf.Tensor:
        return -evidence.learner.labelled_logits(evidence.inputs)
