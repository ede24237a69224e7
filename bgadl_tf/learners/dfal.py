"""The learner of DFAL: every queried example joins twice, as it is and nearly across a boundary.

Ducoffe and Precioso, "Adversarial Active Learning for Deep Networks: a Margin Based Approach"
(arXiv:1802.09841, 2018). With r the smallest change that gives x* another predicted class
(``models.deepfool``) and y* the label that the oracle gave it::

    x' = x* + (1 + overshoot) r,   y' = y*

which joins the training set of this and every later round, and costs no label. Images are stored
in 8 bits, and of an example near to a boundary most of r is rounded away: where the stored x' has
the class of x* still, the change is doubled until it has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.further import Further
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.deepfool import deepfool

AT_ONCE = 100
"""Examples that are changed together."""


@dataclass(frozen=True, kw_only=True)
class DFALOptions(ProbationOptions):
    """How x' is made; the rest is of the classifier's rounds.

    Args:
        deepfool_classes: Towards how many of the most probable classes, the predicted one included.
        deepfool_steps: At most.
        overshoot: By which share the smallest change is made larger.
        doublings: Of a change that is lost where x' is stored, at most; 0 is the paper's.
    """

    deepfool_classes: int = 10
    deepfool_steps: int = 10
    overshoot: float = 0.02
    doublings: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.deepfool_classes >= 2, "deepfool_classes", "at least 2")
        self.require(self.deepfool_steps >= 1, "deepfool_steps", "at least 1")
        self.require(self.overshoot > 0, "overshoot", "positive")
        self.require(self.doublings >= 0, "doublings", "at least 0")


@LEARNERS.register("dfal")
@keras.saving.register_keras_serializable("bgadl_tf")
class DFALLearner(ProbationLearner):
    """Supervised learning on labelled examples and on adversarial copies of the queried ones.

    A round's facts are means over its x': ``adversarial_distance``, |x' - x*|, and ``crossed``,
    whether x' has another predicted class, both of x' as it is stored.
    """

    options_type = DFALOptions
    options: DFALOptions

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        shape = tf.TensorSpec((None, *classifier.example_shape), self.space.dtype)
        self._keep("_changed", tf.function(self._change, input_signature=[shape], autograph=False))

    def further(self, asked: Batch, seed: tuple[int, int]) -> Further | None:
        """x' of every x*, by the classifier of the round before; nothing is drawn."""
        parts = [
            self._changed(tf.constant(asked.examples[start : start + AT_ONCE]))
            for start in range(0, len(asked.labels), AT_ONCE)
        ]
        made, distance, crossed = (
            np.concatenate([part.numpy() for part in of_parts])
            for of_parts in zip(*parts, strict=True)
        )
        facts = {"adversarial_distance": distance, "crossed": crossed}
        return Further(made, asked.labels, joins=True, facts=facts)

    def _change(self, examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """x' as it is stored, |x' - x| ``[n]``, and 1 where C gives it another class."""
        options, inputs = self.options, self.space.to_float(examples)
        found = deepfool(
            self.classifier,
            inputs,
            classes=options.deepfool_classes,
            steps=options.deepfool_steps,
            overshoot=options.overshoot,
        )
        before = tf.argmax(self.classifier(inputs), 1)
        made, crossed = examples, tf.zeros_like(before, tf.bool)
        for number in range(1 + options.doublings):
            moved = inputs + 2.0**number * (1.0 + options.overshoot) * found.change
            larger = self.space.from_float(moved)
            made = tf.where(tf.reshape(crossed, (-1, *[1] * len(self.space.shape))), made, larger)
            crossed = before != tf.argmax(self.classifier(self.space.to_float(made)), 1)
        axes = [*range(1, inputs.shape.rank)]
        distance = tf.sqrt(tf.reduce_sum(tf.square(self.space.to_float(made) - inputs), axes))
        return made, distance, tf.cast(crossed, tf.float32)
