"""Event files for TensorBoard's HParams page, written without TensorFlow.

TensorBoard's ``EventFileWriter`` imports TensorFlow where it is installed; its records do not.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import summary_v2
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from bgadl_tf.core import durable

FILES = "events.out.tfevents.*"
"""Names of the files, of which a folder has one."""


def write_experiment(folder: Path, space: Mapping[str, Any], metrics: Iterable[str]) -> None:
    """What varies and what it is measured by, in the place of what ``folder`` held of it.

    Args:
        folder: Where the file goes.
        space: Domains by name, of ``tensorboard.plugins.hparams.summary_v2``; None where there
            is none.
        metrics: Names of the scores of sessions.

    Raises:
        RunFolderError: The file cannot be written.
    """
    varied = [summary_v2.HParam(name, domain) for name, domain in space.items()]
    measured = [summary_v2.Metric(name, display_name=name) for name in metrics]
    _write(folder, [summary_v2.hparams_config_pb(varied, measured)])


def write_session(folder: Path, values: Mapping[str, Any], scores: Mapping[str, float]) -> None:
    """One session, which its folder names, in the place of what ``folder`` held of it.

    Args:
        folder: Where the file goes.
        values: Hyper-parameters by name; see ``shown``.
        scores: What it came to; what is not finite is left out.

    Raises:
        RunFolderError: The file cannot be written.
    """
    # Without an id TensorBoard takes sessions of the same values for one, of two folders even.
    start = summary_v2.hparams_pb({key: shown(v) for key, v in values.items()}, trial_id="")
    finite = {key: value for key, value in scores.items() if math.isfinite(value)}
    _write(folder, [start, *(scalar_pb(key, value) for key, value in finite.items())])


def shown(value: object) -> bool | int | float | str:
    """A value as TensorBoard takes it."""
    if value is None:
        return "none"
    return value if isinstance(value, bool | int | float) else str(value)


def _write(folder: Path, summaries: Iterable[Any]) -> None:
    now = time.time_ns()
    content = io.BytesIO()
    records = RecordWriter(content)
    records.write(Event(wall_time=now / 1e9, file_version="brain.Event:2").SerializeToString())
    for summary in summaries:
        records.write(Event(wall_time=now / 1e9, step=0, summary=summary).SerializeToString())
    with durable.reporting(folder):
        folder.mkdir(parents=True, exist_ok=True)
        before = [*folder.glob(FILES)]
    # A new name: a TensorBoard that is running does not read again what it has read.
    durable.atomic_write_bytes(folder / FILES.replace("*", str(now)), content.getvalue())
    with durable.reporting(folder):
        for path in before:
            path.unlink()
