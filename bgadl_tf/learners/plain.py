"""Plain supervised learning: cross-entropy on the labelled examples as they are."""

from __future__ import annotations

import keras

from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.probation.learner import ProbationLearner


@LEARNERS.register("plain")
@keras.saving.register_keras_serializable("bgadl_tf")
class Plain(ProbationLearner):
    """The classifier alone, without any augmentation."""
