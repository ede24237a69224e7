"""Poor man's data augmentation, the paper's "AL w. PMDA": ``plain`` with transforms.

Small shifts and scalings with bilinear resampling for every image, and mirror images where the
images are in colour: a mirrored digit is another digit. In features, stored views.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions


@dataclass(frozen=True, kw_only=True)
class PMDAOptions(ProbationOptions):
    """The same options; transforms are ``standard`` unless others are asked for."""

    transforms: str = "standard"


@LEARNERS.register("pmda")
@keras.saving.register_keras_serializable("bgadl_tf")
class PMDA(ProbationLearner):
    """Supervised learning on randomly transformed images, or on views of vectors."""

    options_type = PMDAOptions
    options: PMDAOptions

    @property
    def needs_views(self) -> bool:
        return self.uses_views
