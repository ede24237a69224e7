"""Means of what learners and acquisitions say of their rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgadl_tf.core.types import Json
from bgadl_tf.runs import records
from bgadl_tf.study.intervals import interval
from bgadl_tf.study.markdown import NONE, table
from bgadl_tf.study.runs import Run

OF, TO = "_generated", "_queried"
"""Ends of the names of two facts whose ratio is shown beside them."""


def facts_table(arms: Mapping[str, Sequence[Run]]) -> str | None:
    """Mean ± sd over runs of each run's mean over rounds, facts × arms that have any.

    Returns:
        The table; None where no run has a fact.
    """
    means = {arm: [_means(run.rounds) for run in group] for arm, group in arms.items()}
    shown = {arm: runs for arm, runs in means.items() if any(runs)}
    names = sorted({name for runs in shown.values() for run in runs for name in run})
    if not names:
        return None
    rows = [
        [name, *(_cell([run[name] for run in runs if name in run]) for runs in shown.values())]
        for name in names
    ]
    return table(["fact", *shown], rows)


def _means(rounds: Sequence[Json]) -> dict[str, float]:
    """By name, over the rounds that have it; of ratios, the mean of the rounds' own."""
    by_name = {
        name: [records.fact(record, name) for record in rounds]
        for name in records.fact_names(rounds)
    }
    for name, values in list(by_name.items()):
        other = name.removesuffix(OF) + TO
        if name.endswith(OF) and other in by_name:
            by_name[f"{name} / {other}"] = [
                None if a is None or not b else a / b
                for a, b in zip(values, by_name[other], strict=True)
            ]
    found = {name: [v for v in values if v is not None] for name, values in by_name.items()}
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def _cell(values: Sequence[float]) -> str:
    if not values:
        return NONE
    found = interval(values)
    around = f" ± {found.sd:.3g}" if np.isfinite(found.sd) else ""
    return f"{found.mean:.4g}{around}"
