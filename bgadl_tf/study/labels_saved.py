"""Labels that an arm saves on its way to the accuracy that another one ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bgadl_tf.study import learning_curve
from bgadl_tf.study.intervals import bootstrap_interval, interval
from bgadl_tf.study.learning_curve import Curve
from bgadl_tf.study.markdown import NONE, spread, table


@dataclass(frozen=True)
class Saving:
    """One seed: labels to the accuracy that the reference's run of this seed ends with.

    Attributes:
        labels: That the arm needs; those it has used in the end where it never gets there.
        reference: That the reference needs, which may get there before its last round.
        reached: Whether the arm gets there. If not, ``labels`` is a lower bound.
    """

    labels: float
    reference: float
    reached: bool

    @property
    def share(self) -> float:
        """Share of the reference's labels that is saved; an upper bound unless ``reached``."""
        return 1.0 - self.labels / self.reference


def saving(curve: Curve, reference: Curve) -> Saving:
    """Labels of two runs of one seed, both between rounds by straight lines."""
    target = float(reference.accuracy[-1])
    labels = learning_curve.labels_to_reach(curve, target)
    reached = bool(np.isfinite(labels))
    return Saving(
        labels if reached else float(curve.labelled[-1]),
        learning_curve.labels_to_reach(reference, target),
        reached,
    )


def saved_table(
    curves: Mapping[str, Mapping[int, Curve]], reference: str, rng: np.random.Generator
) -> str:
    """Labels and share saved of every other arm on shared seeds.

    Args:
        curves: Curve by seed, by arm; ``reference`` among them.
        reference: The arm whose final accuracy is to be reached.
        rng: Draws the bootstrap's resamples.
    """
    rows = []
    for arm, own in curves.items():
        seeds = sorted(own.keys() & curves[reference].keys())
        if arm == reference or not seeds:
            continue
        found = [saving(own[seed], curves[reference][seed]) for seed in seeds]
        low, high = bootstrap_interval([one.share for one in found], rng)
        missed = sum(not one.reached for one in found)
        more, less = ("≥ ", "≤ ") if missed else ("", "")
        rows.append([
            arm, str(len(found)),
            more + spread(interval([one.labels for one in found]), 1, 0),
            spread(interval([one.reference for one in found]), 1, 0),
            f"{less}{100 * np.mean([one.share for one in found]):+.1f}",
            f"{100 * low:+.1f} to {100 * high:+.1f}" if np.isfinite(low) else NONE,
            f"{missed} of {len(found)}",
        ])  # fmt: skip
    if not rows:
        return f"No other arm shares a seed with `{reference}`.\n"
    head = [
        "arm", "shared seeds", "labels", f"labels of `{reference}`", "saved (%)",
        "95 % bootstrap", "never reached",
    ]  # fmt: skip
    return table(head, rows)
