"""One run from beginning to end, or from where it stopped to where it can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import ExportError
from bgadl_tf.core.types import Json
from bgadl_tf.export.models import ExportedModels
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.oracles.answers_file import AnswersFile, write_template
from bgadl_tf.runs.build import Setup, build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.export import export_once
from bgadl_tf.runs.pictures import Pictures
from bgadl_tf.runs.progress import Progress
from bgadl_tf.runs.run_folder import RunFolder


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


def train(config: RunConfig, out: Path | str, callbacks: Sequence[Callback] = ()) -> Outcome:
    """Run, or resume, the experiment of ``config`` in the folder ``out``.

    Where the dataset holds back every label, the oracle is simulated. Else a person answers in
    the file ``to_label.csv`` of the run folder, and the run goes on when it is called again.
    A finished run is exported, once.

    No setting of the process is changed. For runs that are equal bit for bit, call
    ``tf.config.experimental.enable_op_determinism()`` first, as the command line does.

    Args:
        config: The settings.
        out: The run folder.
        callbacks: Told of what happens, after the run's own.

    Raises:
        ExportError: The run is finished, but its models could not be exported.
        BgadlError: Bad input; nothing is written, or nothing that was there is lost.
    """
    out = Path(out)
    setup = build(config)
    folder = RunFolder(out)
    with folder.opened(setup.described, setup.defaults):
        progress = Progress(out, setup.learner, setup.plan, len(folder.journal.finished()))
        pictures = Pictures(out / "figures", setup.dataset, folder.journal)
        loop = setup.active_learner(folder.journal, (progress, pictures, *callbacks))
        pictures.catch_up()
        if not loop.finished:
            with progress:
                _run(loop, setup, out)
        rounds = [*folder.journal.finished()]
        if not loop.finished:
            return Outcome(out, rounds, waiting_for=_answers_file(out))
        return Outcome(out, rounds, exported=_export(setup, folder))


def _run(loop: ActiveLearner, setup: Setup, out: Path) -> None:
    """Go on to the end, or until a person is to answer."""
    while not loop.finished:
        if loop.step() is None and not loop.finished:
            file = _answers_file(out)
            write_template(file, loop.ask().ids)
            if loop.step(AnswersFile(file, setup.dataset.class_names)) is None:
                return


def _export(setup: Setup, folder: RunFolder) -> ExportedModels | None:
    try:
        return export_once(folder, setup.learner, (setup.plan.rounds, setup.plan.steps))
    except ExportError as error:
        raise ExportError(
            f"the run is finished, but {error}; 'bgadl export {folder.path}' tries again"
        ) from error


def _answers_file(out: Path) -> Path:
    return out / "to_label.csv"
