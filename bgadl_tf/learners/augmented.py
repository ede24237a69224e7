"""What learners share that learn from augmented examples beside the labelled ones.

With groups f_1, .., f_k of further examples, one of each labelled x in every group::

    C:  -log C(y | x)  - w/k [log C(y | f_1) + .. + log C(y | f_k)]

Of two groups that is the classifier's objective of ``vaeacgan`` with x' and x'' in their place: the
same number of further examples under the same weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bgadl_tf.learners.probation.groups import Factors
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions


@dataclass(frozen=True, kw_only=True)
class AugmentedOptions(ProbationOptions):
    """How much further examples count.

    Args:
        further_weight: w, the weight of further examples, all groups together, against labelled
            ones; 1 as of the generated ones of ``vaeacgan``.
    """

    further_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.further_weight >= 0, "further_weight", "at least 0")


class AugmentedLearner(ProbationLearner):
    """Supervised learning on labelled examples and on further ones under the same labels.

    Every example, labelled or further, has a dropout mask of its own.
    """

    options_type: ClassVar[type[ProbationOptions]] = AugmentedOptions
    options: AugmentedOptions
    terms = ("classification", "classification_first", "classification_second")
    further_groups = ("first", "second")

    def group_factors(self) -> Factors:
        share = self.options.further_weight / len(self.further_groups)
        return {**dict.fromkeys(self.further_groups, share), **super().group_factors()}
