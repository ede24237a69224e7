"""What an arm costs beside another one, and what it gains for that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgadl_tf.study import learning_curve, shared_labels
from bgadl_tf.study.intervals import interval
from bgadl_tf.study.learning_curve import Curve
from bgadl_tf.study.markdown import NONE, spread, table
from bgadl_tf.study.runs import Run

PARTS = ("train", "score")


def seconds(run: Run, part: str) -> float:
    """Median over the rounds that have it: the first one also compiles. NaN without any."""
    found = [
        float(record["seconds"][part])
        for record in run.rounds
        if part in record.get("seconds", {})
    ]  # fmt: skip
    return float(np.median(found)) if found else float("nan")


def cost_table(arms: Mapping[str, Sequence[Run]], reference: str) -> str:
    """Seconds a round of every arm, and its gain over a reference on shared seeds.

    Args:
        arms: Finished runs by arm, each with a learning curve; ``reference`` among them.
        reference: What the others are compared with.
    """
    theirs = {run.seed: run for run in arms[reference]}
    rows = []
    for arm, group in arms.items():
        parts = [interval([seconds(run, part) for run in group]) for part in PARTS]
        row = [arm, *(spread(part, 1, 2) for part in parts)]
        shared = [(run, theirs[run.seed]) for run in group if run.seed in theirs]
        if arm == reference or not shared:
            rows.append([*row, *[NONE] * 4])
            continue
        own, other = (np.mean([_round(pair[side]) for pair in shared]) for side in (0, 1))
        gained = 100 * _gained(
            *shared_labels.aligned(
                {run.seed: run.curve for run in group},
                {seed: run.curve for seed, run in theirs.items()},
            )
        )
        extra = own - other
        rows.append([
            *row, f"{extra:+.2f}" if np.isfinite(extra) else NONE,
            f"{own / other:.2f}" if other > 0 else NONE,
            f"{gained:+.2f}" if np.isfinite(gained) else NONE,
            f"{gained / extra:+.3f}" if extra > 0 and np.isfinite(gained) else NONE,
        ])  # fmt: skip
    head = [
        "arm", "train (s)", "score (s)", "extra (s)", f"times `{reference}`",
        "AUBC gained (points)", "points per extra second",
    ]  # fmt: skip
    return table(head, rows)


def _gained(ours: Mapping[int, Curve], theirs: Mapping[int, Curve]) -> float:
    """Mean difference of the AUBC; NaN without a pair."""
    aubc = learning_curve.aubc
    gains = [aubc(ours[seed]) - aubc(theirs[seed]) for seed in ours]
    return float(np.mean(gains)) if gains else float("nan")


def _round(run: Run) -> float:
    return sum(seconds(run, part) for part in PARTS)
