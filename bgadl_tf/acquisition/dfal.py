"""DFAL: examples that the smallest change would give another class.

Ducoffe and Precioso, "Adversarial Active Learning for Deep Networks: a Margin Based Approach"
(arXiv:1802.09841, 2018). The distance to the nearest decision boundary in the space of the inputs
is that of DeepFool; the smallest is asked for. The learner of the same name adds the changed copies
to the training set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.models.deepfool import UNKNOWN, deepfool


@ACQUISITIONS.register("dfal")
@dataclass(frozen=True)
class DFAL(ScoreAcquisition):
    """Asks for the candidates nearest to a boundary of the classifier without dropout.

    Scores are minus the distance, in pixels of range [0, 1] or in units of the features. Of an
    example that ``steps`` did not bring across, the way that seems to be left counts, too; around
    which the classifier is flat, that has a distance of 1e9. Time: at most ``steps`` times
    ``classes`` training passes over the candidates, so of many give ``--candidates``. Memory: a
    chunk at a time, and its gradients.

    Args:
        classes: Towards how many of the most probable classes, the predicted one included.
        steps: Of DeepFool, at most; a linear classifier takes one.
        overshoot: By which share a change is made larger, to be beyond the boundary.
    """

    may_be_negative: ClassVar[bool] = True
    no_score: ClassVar[float] = -UNKNOWN

    classes: int = 10
    steps: int = 10
    overshoot: float = 0.02

    def __post_init__(self) -> None:
        for name, least in (("classes", 2), ("steps", 1)):
            if getattr(self, name) < least:
                raise ConfigError(
                    f"--option dfal.{name} is {getattr(self, name)}; it must be at least {least}"
                )
        if not self.overshoot > 0:
            raise ConfigError(f"--option dfal.overshoot is {self.overshoot}; it must be positive")

    def score(self, evidence: Evidence) -> tf.Tensor:
        found = deepfool(
            evidence.classifier,
            evidence.inputs,
            classes=self.classes,
            steps=self.steps,
            overshoot=self.overshoot,
        )
        return -found.distance
