"""How long the runs of a study took: ``durations.jsonl`` in its folder, from which it is told how
long the others will take.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from bgadl_tf.core import durable
from bgadl_tf.core.errors import BgadlError
from bgadl_tf.study.tasks import Task

_NAME = "durations.jsonl"


def note(task: Task, seconds: float) -> None:
    """Add what a run took that was made in one go; where that cannot be written, it is left out."""
    path = task.study / _NAME
    record = {"arm": task.arm, "seed": task.config.seed, "seconds": round(seconds, 1)}
    with contextlib.suppress(BgadlError):
        durable.read_json_lines(path)  # mends a line that was cut short
        durable.append_json_line(path, record)


def measured(out: Path) -> dict[str, list[float]]:
    """Seconds by arm; nothing where the file is not there or damaged, for it is a help alone."""
    try:
        records = durable.read_json_lines(out / _NAME, mend=False).records
        found: dict[str, list[float]] = {}
        for record in records:
            found.setdefault(str(record["arm"]), []).append(float(record["seconds"]))
    except (BgadlError, LookupError, TypeError, ValueError):
        return {}
    return found
