"""What the time of runs goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgadl_tf.study.intervals import interval
from bgadl_tf.study.markdown import NONE, spread, table
from bgadl_tf.study.runs import Run


def names(runs: Sequence[Run]) -> list[str]:
    """Phases that any of some runs tells of, in the order in which they appear."""
    found = (phase for run in runs for record in run.rounds for phase in record.get("seconds", {}))
    return [*dict.fromkeys(found)]


def seconds(run: Run, phase: str) -> float:
    """Of all its rounds together; NaN where none tells."""
    found = [r["seconds"][phase] for r in run.rounds if phase in r.get("seconds", {})]
    return float(sum(found)) if found else float("nan")


def phase_table(arms: Mapping[str, Sequence[Run]]) -> str:
    """Seconds of a whole run by phase, mean ± sd over the runs of an arm."""
    phases = names([run for group in arms.values() for run in group])
    rows = []
    for arm, group in arms.items():
        found = [[seconds(run, phase) for run in group] for phase in phases]
        totals = [sum(own) for own in zip(*found, strict=True)]
        cells = [spread(interval(values), 1, 1) for values in (*found, totals)]
        rows.append([arm, str(len(group)), *(cells if phases else [NONE])])
    return table(["arm", "runs", *(f"{phase} (s)" for phase in phases), "all (s)"], rows)
