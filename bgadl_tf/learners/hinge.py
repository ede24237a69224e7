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
        # Log-probabilities differ from each other as the margins do.
        term = losses.multiclass_hinge(log_probs, batch.labels)
        return weighted(term + self._penalty() if is_form(group) else term, batch)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The objective and accuracy, for ``evaluate``."""
        batch = self.unpack(data)
        log_probs = self.classifier(batch.examples)
        term = self.term_of(REAL, log_probs, batch)
        return self.track({"classification": term}, term, log_probs, batch)

    def _penalty(self) -> tf.Tensor:
        """Scalar; part of the term of each example, so that its mean over all replicas counts."""
        kernel = self.classifier.head.last_kernel()
        return 0.5 * self.options.gamma * tf.reduce_sum(tf.square(kernel))
