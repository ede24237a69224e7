"""Settings of pseudo-labels."""

from __future__ import annotations

from dataclasses import dataclass

from bgadl_tf.learners.options import Options
from bgadl_tf.learners.pseudo_labels.gate import KINDS

TARGETS = ("soft", "hard")
TEACHERS = ("classifier", "passes")


@dataclass(frozen=True, kw_only=True)
class PseudoLabelOptions(Options):
    """What C learns from the pool under labels that it gives itself.

    Args:
        pseudo_weight: Weight of the pseudo-labelled examples in C's objective; 0: there are none.
        pseudo_target: ``soft``, the teacher's distribution, or ``hard``, its most probable class.
        pseudo_gate: ``weighted`` or ``threshold``: see ``pseudo_labels.gate``.
        pseudo_precision: p of the gate: below this share of right ones, as held-out labels tell,
            predictions count nothing.
        pseudo_caution: z of the lower confidence bound on that share; 0 takes the share itself.
        pseudo_folds: F of the cross-fitting: copies of C that train beside it.
        pseudo_teacher: What gives the labels: ``classifier``, C without dropout, or ``passes``,
            its average over ``pseudo_passes`` dropout masks.
        pseudo_passes: K of that average.
        pseudo_rampup: Steps of a round over which the weight grows from 0.
        pseudo_decay: What a step leaves of the running sums behind the gate.
    """

    pseudo_weight: float = 0.0
    pseudo_target: str = "soft"
    pseudo_gate: str = "weighted"
    pseudo_precision: float = 0.5
    pseudo_caution: float = 0.0
    pseudo_folds: int = 2
    pseudo_teacher: str = "classifier"
    pseudo_passes: int = 8
    pseudo_rampup: int = 120
    pseudo_decay: float = 0.98

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("pseudo_weight", "pseudo_caution", "pseudo_rampup"):
            self.require(getattr(self, name) >= 0, name, "at least 0")
        self.require(0 <= self.pseudo_precision < 1, "pseudo_precision", "in [0, 1)")
        self.require(0 <= self.pseudo_decay < 1, "pseudo_decay", "in [0, 1)")
        self.require(self.pseudo_folds >= 2, "pseudo_folds", "at least 2")
        self.require(self.pseudo_passes >= 2, "pseudo_passes", "at least 2")
        for name, known in (
            ("pseudo_target", TARGETS),
            ("pseudo_gate", KINDS),
            ("pseudo_teacher", TEACHERS),
        ):
            self.require(getattr(self, name) in known, name, f"one of {', '.join(known)}")
