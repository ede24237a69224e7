"""How far the probabilities of the last round can be taken at their word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgadl_tf.core.calibration import Calibration
from bgadl_tf.core.types import Json
from bgadl_tf.study.intervals import interval
from bgadl_tf.study.markdown import NONE, spread, table
from bgadl_tf.study.runs import Run


def of_round(record: Json) -> Calibration | None:
    """What a round noted of its calibration; None of rounds of older versions."""
    content = record.get("calibration")
    return None if content is None else Calibration.from_json(content)


def calibration_table(arms: Mapping[str, Sequence[Run]]) -> str:
    """NLL and ECE of each run's last round, mean ± sd over the runs of an arm."""
    rows = []
    for arm, group in arms.items():
        last = [run.measured.rounds[-1] for run in group]
        nll = interval([record["test_nll"] for record in last])
        eces = [found.ece for record in last if (found := of_round(record)) is not None]
        confident = [sure for record in last if (sure := _overconfidence(record)) is not None]
        rows.append([
            arm, str(len(group)), spread(nll, 1, 3),
            spread(interval(eces), 100, 2) if eces else NONE,
            f"{100 * np.mean(confident):+.2f}" if confident else NONE,
        ])  # fmt: skip
    return table(
        ["arm", "runs", "NLL (nats)", "ECE (points)", "confidence - accuracy (points)"], rows
    )


def pooled(runs: Sequence[Run]) -> Calibration | None:
    """The last rounds of some runs, bin by bin; None where none noted any."""
    found = [one for run in runs if (one := of_round(run.measured.rounds[-1])) is not None]
    if not found:
        return None
    count = np.array([one.count for one in found], np.float64)
    right, sure = (
        np.where(count > 0, np.array([getattr(one, name) for one in found], np.float64), 0.0)
        for name in ("accuracy", "confidence")
    )
    total = count.sum(axis=0)
    right, sure = (count * right).sum(axis=0), (count * sure).sum(axis=0)
    accuracy, confidence = (
        tuple(float(v / n) if n else None for v, n in zip(values, total, strict=True))
        for values in (right, sure)
    )
    ece = float(np.abs(right - sure).sum() / total.sum())
    return Calibration(ece, tuple(int(n) for n in total), accuracy, confidence)


def _overconfidence(record: Json) -> float | None:
    found = of_round(record)
    if found is None:
        return None
    sums = [
        n * (sure - right)
        for n, right, sure in zip(found.count, found.accuracy, found.confidence, strict=True)
        if right is not None and sure is not None
    ]
    return sum(sums) / sum(found.count)
