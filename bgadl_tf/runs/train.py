"""One run from beginning to end, or from where it stopped to where it can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.types import Json
from bgadl_tf.export.models import ExportedModels
from bgadl_tf.loop.callback import Callback
from bgadl_tf.runs import to_label
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.open_run import open_run


@dataclass(frozen=True)
class Outcome:
    """How far a run came.

    Args:
        folder: The run folder.
        rounds: Finished rounds, as in ``rounds.jsonl``.
        waiting_for: File in which labels are to be filled in before the run can go on, or None
            when it is finished.
        exported: The models of the finished run, if this call has exported them.
    """

    folder: Path
    rounds: list[Json]
    waiting_for: Path | None = None
    exported: ExportedModels | None = None


def train(
    config: RunConfig,
    out: Path | str,
    callbacks: Sequence[Callback] = (),
    *,
    export: bool = True,
) -> Outcome:
    """Run, or resume, the experiment of ``config`` in the folder ``out``.

    Where the dataset holds back every label, the oracle is simulated. Else a person answers in
    the file ``to_label.csv`` of the run folder, and the run goes on when it is called again.
    A finished run is exported, once; with more rounds it goes on. What has changed in the dataset
    since the last call is found and said: see ``DatasetHistory``.

    No setting of the process is changed. For runs that are equal bit for bit, call
    ``tf.config.experimental.enable_op_determinism()`` first, as the command line does.

    Args:
        config: The settings.
        out: The run folder.
        callbacks: Told of what happens, after the run's own.
        export: Whether a finished run is exported; if not, ``bgadl export`` does it later.

    Raises:
        ExportError: The run is finished, but its models could not be exported.
        BgadlError: Bad input; nothing is written, or nothing that was there is lost.
    """
    out = Path(out)
    with open_run(config, out, callbacks) as run:
        run.catch_up()
        waits = not run.loop.finished and not run.go_on()
        rounds = [*run.folder.journal.finished()]
        if waits:
            return Outcome(out, rounds, waiting_for=to_label.ask(run.loop, out))
        return Outcome(out, rounds, exported=run.export() if export else None)
