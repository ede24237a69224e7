"""Whether arms are lower than another one by less than a margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgadl_tf.study import learning_curve, paired, shared_labels
from bgadl_tf.study.findings import Finding
from bgadl_tf.study.markdown import bounds, signed, table
from bgadl_tf.study.runs import Run

_WORDS = {True: "shown", False: "not shown", None: "cannot be tested"}


def non_inferiority_table(
    arms: Mapping[str, Sequence[Run]],
    baseline: str,
    margin: float,
    rng: np.random.Generator,
) -> str:
    """The AUBC of every other arm against a baseline, paired on seeds.

    Args:
        arms: Finished runs by arm, each with a learning curve; ``baseline`` among them.
        baseline: What the others are not to be lower than.
        margin: Points of accuracy that nobody would miss.
        rng: Draws the bootstrap's resamples.
    """
    curves = {arm: {run.seed: run.curve for run in group} for arm, group in arms.items()}
    rows = []
    for arm, own in curves.items():
        if arm == baseline:
            continue
        ours, theirs = (
            {seed: learning_curve.aubc(curve) for seed, curve in side.items()}
            for side in shared_labels.aligned(own, curves[baseline])
        )
        result = paired.compare(ours, theirs, rng)
        found = Finding("", arm, baseline, result.n, result, margin)
        rows.append([
            arm, str(result.n), signed(result.mean, result.sd), bounds(*result.t_interval()),
            _WORDS[found.holds],
        ])  # fmt: skip
    head = ["arm", "shared seeds", "difference (points)", "95 % t", f"not {margin:g} points lower"]
    return table(head, rows)
