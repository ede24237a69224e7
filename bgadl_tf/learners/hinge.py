"""What support vector machines share: hinge loss, and a penalty on the kernel of the last layer.

With margins f = w^T phi + b of an example of class y, the multi-class machine of Crammer and Singer
("On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines", JMLR 2001)::

    mean of max(0, 1 + max over j != y of f_j - f_y)  +  gamma / 2 |w|^2

For two classes that is the binary machine with the margin f_1 - f_0, whose w_1 - w_0 it penalises
by gamma / 4 |w_1 - w_0|^2: at the optimum w_0 = -w_1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import weighted
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.groups import PSEUDO, REAL, is_form
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead


@dataclass(frozen=True, kw_only=True)
class HingeOptions(ProbationOptions):
    """The options of every learner, and the penalty.

    Args:
        gamma: Weight of |w|^2 / 2, w being the kernel of the classifier's last dense layer.
    """

    gamma: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.gamma >= 0, "gamma", "at least 0")


class HingeLearner(ProbationLearner):
    """The classifier under hinge loss.

    Its metric ``classification`` is the mean hinge and the penalty. Where examples have weights,
    the penalty has their mean one.

    Raises:
        ConfigError: The classifier does not end in a dense layer whose kernel can be read.
    """

    options_type: ClassVar[type[Options]] = HingeOptions
    options: HingeOptions

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        if not hasattr(classifier.head, "last_kernel"):
            raise ConfigError(
                f"learner {type(self).__name__!r} penalises the kernel of the last dense layer, "
                f"which classifier {classifier.name!r} does not offer; choose another classifier"
            )

    def term_of(self, group: str, log_probs: tf.Tensor, batch: Batch) -> tf.Tensor:
        if group == PSEUDO:
            return super().term_of(group, log_probs, batch)
        if is_form(group):
            term = self.loss_of(self.classifier.head, log_probs, batch.labels)
        else:
            term = losses.multiclass_hinge(log_probs, batch.labels)
        return weighted(term, batch)

    def loss_of(self, head: StochasticHead, log_probs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Hinge and penalty, which is part of each example's, so that its mean counts once."""
        penalty = 0.5 * self.options.gamma * tf.reduce_sum(tf.square(head.last_kernel()))
        # Log-probabilities differ from each other as the margins do.
        return losses.multiclass_hinge(log_probs, labels) + penalty

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The objective and accuracy, for ``evaluate``."""
        batch = self.unpack(data)
        log_probs = self.classifier(batch.examples)
        term = self.term_of(REAL, log_probs, batch)
        return self.track({"classification": term}, term, log_probs, batch)
