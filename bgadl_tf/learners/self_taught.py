"""Self-taught learning: features from examples without labels, and a linear machine on them.

Raina, Battle, Lee, Packer and Ng, "Self-taught Learning: Transfer Learning from Unlabeled Data"
(ICML 2007). Before round 0 the trunk of the classifier learns a sparse code of all training
examples (``sparse_coding``); the rounds train the head on it under hinge loss (``hinge``). With
classifier ``shallow`` that is a dictionary of 256 atoms and a linear machine on the codes. The
paper takes other data than the task's for the code; here it is the pool, as for the generator of
``gaal``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from bgadl_tf.learners.hinge import HingeLearner, HingeOptions
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.pretext import PretextLearner, PretextOptions, check_trunk
from bgadl_tf.learners.sparse_coding import Dictionary, SparseCoding
from bgadl_tf.models.classifiers.base import Classifier


@dataclass(frozen=True, kw_only=True)
class SelfTaughtOptions(HingeOptions, PretextOptions):
    """How sparse the code is; the rest is of the pretext and of the machine's rounds.

    Args:
        sparsity: Weight of |f|_1 against the squared error of an example.
    """

    sparsity: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.sparsity >= 0, "sparsity", "at least 0")


@LEARNERS.register("self_taught")
@keras.saving.register_keras_serializable("bgadl_tf")
class SelfTaught(HingeLearner, PretextLearner):
    """A support vector machine on a sparse code; images or vectors.

    Raises:
        ConfigError: The classifier has no trunk that could learn a code.
    """

    options_type = SelfTaughtOptions
    options: SelfTaughtOptions
    pretext: SparseCoding

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        check_trunk("self_taught", classifier)
        self.dictionary = Dictionary(classifier.head.widths[0], classifier.example_shape)
        self.prepare_by(
            SparseCoding(
                classifier,
                self.dictionary,
                sparsity=self.options.sparsity,
                learning_rate=self.options.pretext_learning_rate,
            )
        )
