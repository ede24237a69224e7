"""Pseudo-labels alone: C learns from labelled examples, and from the pool under its own labels.

Lee 2013, "Pseudo-Label", in the form of Sohn et al. 2020, "FixMatch", with a gate that held-out
labels calibrate: see ``pseudo_labels``. No generation; the ablation of the learners that have both.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions


@dataclass(frozen=True, kw_only=True)
class PseudoOptions(ProbationOptions):
    """The same options with a weight, and with transforms: the strong views."""

    pseudo_weight: float = 1.0
    transforms: str = "standard"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.pseudo_weight > 0, "pseudo_weight", "positive; or use learner plain")


@LEARNERS.register("pseudo")
@keras.saving.register_keras_serializable("bgadl_tf")
class Pseudo(ProbationLearner):
    """Supervised learning and gated pseudo-labels."""

    options_type = PseudoOptions
    options: PseudoOptions
