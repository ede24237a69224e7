"""results.json and curves.csv: every number that a report is made of."""

from __future__ import annotations

import csv
import io

import numpy as np

from bgadl_tf.core.types import Json
from bgadl_tf.runs import records
from bgadl_tf.study import class_balance, learning_curve, phases, tables
from bgadl_tf.study.reliability import of_round
from bgadl_tf.study.report.arms import Named
from bgadl_tf.study.runs import Run


def to_json(named: Named) -> Json:
    """Every curve by arm and seed, and what the tables take from it; where a study names datasets,
    they are under ``datasets``, by these. A number that does not exist is null.
    """
    found = {
        dataset: {arm: {str(run.seed): _run(run) for run in group} for arm, group in groups.items()}
        for dataset, groups in named.items()
    }
    return found.get("", {"datasets": found})


def to_csv(named: Named) -> str:
    """A line a finished round, of all runs; a cell is empty where there is no number. Where a study
    names datasets, they are the first column.
    """
    every = [run for groups in named.values() for group in groups.values() for run in group]
    names = records.fact_names(record for run in every for record in run.rounds)
    parts = phases.names(every)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([
        *([] if "" in named else ["dataset"]),
        "arm", "seed", "round", "labelled", "test_accuracy", "test_nll", "test_ece",
        *(f"seconds_{part}" for part in parts), *names,
    ])  # fmt: skip
    for dataset, groups in named.items():
        for arm, run in ((arm, run) for arm, group in groups.items() for run in group):
            for record in run.rounds:
                seconds = record.get("seconds", {})
                writer.writerow([
                    *([dataset] if dataset else []), arm, run.seed,
                    record["round"], record["labelled"],
                    record.get("test_accuracy"), record.get("test_nll"), _ece(record),
                    *(seconds.get(part) for part in parts),
                    *(records.fact(record, name) for name in names),
                ])  # fmt: skip
    return text.getvalue()


def _run(run: Run) -> Json:
    bought = class_balance.bought(run)
    return {
        "labelled": run.curve.labelled.tolist(),
        "test_accuracy": run.curve.accuracy.tolist(),
        "test_nll": run.measured.column("test_nll").tolist(),
        "test_ece": [_ece(record) for record in run.measured.rounds],
        "aubc": _or_null(learning_curve.aubc(run.curve)),
        "labels_to_reach": {
            f"{target:.2f}": _or_null(learning_curve.labels_to_reach(run.curve, target))
            for target in tables.TARGETS
        },
        "facts": {
            name: [_or_null(records.fact(record, name)) for record in run.rounds]
            for name in records.fact_names(run.rounds)
        },
        "bought": bought and dict(zip(bought.names, bought.counts.tolist(), strict=True)),
        "seconds": sum(sum(record.get("seconds", {}).values()) for record in run.rounds),
        "seconds_by_phase": {part: phases.seconds(run, part) for part in phases.names([run])},
    }


def _ece(record: Json) -> float | None:
    found = of_round(record)
    return None if found is None else found.ece


def _or_null(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
