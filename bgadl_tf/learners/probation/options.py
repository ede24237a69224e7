"""Settings of what is on probation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.probation.groups import PSEUDO
from bgadl_tf.learners.pseudo_labels.options import PseudoLabelOptions
from bgadl_tf.models.classifiers.base import Classifier

JUDGES = ("classifier", "passes", "teacher")
SIMILARITIES = ("none", "gated", "weighted", "projected")


@dataclass(frozen=True, kw_only=True)
class ProbationOptions(PseudoLabelOptions):
    """When examples that nobody has labelled count in C's objective; by default always and fully.

    Args:
        agreement: An example of label y counts only if a judge gives y at least this probability;
            0 for all. He et al. (ICLR 2023, arXiv:2210.07574) filter synthetic images so.
        judge: ``classifier``, C without dropout, BatchNorm as at inference; ``passes``, the mean
            of C's probabilities over dropout masks; ``teacher``, a running average of C (Tarvainen
            and Valpola, NIPS 2017).
        judge_passes: Dropout masks of ``passes``.
        judge_ema: Share of its weights that ``teacher`` keeps at a step. It remembers
            1 / (1 - judge_ema) steps.
        gradient_similarity: What becomes of the gradient on C of a group of further examples,
            beside that of the real ones: ``none``, it counts as it is; ``gated``, only if their
            cosine is at least 0; ``weighted``, times max(0, cosine) (both: Du et al. 2018,
            arXiv:1812.02224); ``projected``, without what opposes the real gradient (Yu et al.,
            NeurIPS 2020, "Gradient surgery", on one side).
        transforms_on_probation: C's real term takes x as it is, as do other networks; the
            transformed x is one more group on probation. The pool is transformed as ever.
        transforms_weight: Weight of that group in C's objective, against real examples.
    """

    agreement: float = 0.0
    judge: str = "classifier"
    judge_passes: int = 8
    judge_ema: float = 0.99
    gradient_similarity: str = "none"
    transforms_on_probation: bool = False
    transforms_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(0 <= self.agreement <= 1, "agreement", "in [0, 1]")
        self.require(self.judge in JUDGES, "judge", f"one of {', '.join(JUDGES)}")
        self.require(self.judge_passes >= 1, "judge_passes", "at least 1")
        self.require(0 <= self.judge_ema < 1, "judge_ema", "in [0, 1)")
        self.require(
            self.gradient_similarity in SIMILARITIES,
            "gradient_similarity",
            f"one of {', '.join(SIMILARITIES)}",
        )
        self.require(
            not self.transforms_on_probation or self.batch_augmentation == 1,
            "batch_augmentation",
            "1 with transforms_on_probation=true, where C's real term takes x as it is",
        )
        self.require(self.transforms_weight >= 0, "transforms_weight", "at least 0")
        self.require(
            not self.transforms_on_probation or self.transforms != "none",
            "transforms_on_probation",
            "false where there are no transforms; add e.g. --option transforms=standard",
        )


def check(options: ProbationOptions, groups: Sequence[str], classifier: Classifier) -> None:
    """Refuse options that have nothing to be about.

    Args:
        options: Of a learner.
        groups: Names of all its groups of further examples.
        classifier: C.

    Raises:
        ConfigError: There is nothing on probation, or the judge is always of one mind.
    """
    judged = {*groups} - {PSEUDO}  # whose judge is their gate
    for name, off, about in (
        ("agreement", 0.0, judged),
        ("gradient_similarity", "none", groups),
    ):
        if getattr(options, name) != off and not about:
            raise ConfigError(
                f"--option {name} is {getattr(options, name)}, but this learner has no further "
                "examples that it is about; add e.g. --option transforms_on_probation=true "
                "--option transforms=standard, or leave it out"
            )
    if options.agreement and options.judge == "passes" and not classifier.is_stochastic:
        raise ConfigError(
            f"--option judge is 'passes', but classifier {classifier.name!r} has no dropout; use "
            "--option judge=classifier"
        )
