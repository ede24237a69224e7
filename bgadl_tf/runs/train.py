"""One run from beginning to end, or from where it stopped to where it can go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from bgadl_tf.core.errors import ExportError
from bgadl_tf.core.types import Json
from bgadl_tf.export.models import ExportedModels
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.journal import Round
from bgadl_tf.loop.oracles.oracle import AnswersFile, HeldBackLabels, write_template
from bgadl_tf.runs.build import Setup, build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.export import export_once
from bgadl_tf.runs.progress import Progress
from bgadl_tf.runs.run_folder import RunFolder


@dataclass(frozen=True)
class Outcome:
    """How far a run came.

    Attributes:
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


def train(config: RunConfig, out: Path) -> Outcome:
    """Run, or resume, the experiment of ``config`` in the folder ``out``.

    Where the dataset holds back every label, the oracle is simulated. Else a person answers in
    the file ``to_label.csv`` of the run folder, and the run goes on when it is called again.
    A finished run is exported, once.

    Raises:
        ExportError: The run is finished, but its models could not be exported.
        BgadlError: Bad input; nothing is written, or nothing that was there is lost.
    """
    tf.config.experimental.enable_op_determinism()
    setup = build(config)
    folder = RunFolder(out)
    with folder.opened(setup.described):
        folder.track(setup.learner)
        loop = setup.active_learner(out, folder)
        if not loop.finished:
            with Progress(out, setup.plan, folder.finished_rounds()) as progress:
                loop.on_step = progress.on_step
                _run(loop, setup, folder, progress)
        if not loop.finished:
            return Outcome(out, folder.rounds, waiting_for=_answers_file(out))
        return Outcome(out, folder.rounds, exported=_export(setup, folder))


def _run(loop: ActiveLearner, setup: Setup, folder: RunFolder, progress: Progress) -> None:
    """Go on to the end, or until a person is to answer."""
    held_back = HeldBackLabels(setup.dataset.train)
    while not loop.finished:
        record = loop.step(held_back)
        if record is None and not loop.finished:
            record = _ask_person(loop, setup, folder.path)
            if record is None:
                return
        if record is not None:
            generated = folder.generated(record.round) if record.round else None
            progress.on_round(record, folder.rounds, generated, setup.dataset)


def _ask_person(loop: ActiveLearner, setup: Setup, out: Path) -> Round | None:
    file = _answers_file(out)
    write_template(file, loop.ask().ids)
    return loop.step(AnswersFile(file, setup.dataset.class_names))


def _export(setup: Setup, folder: RunFolder) -> ExportedModels | None:
    try:
        return export_once(folder, setup.learner, (setup.plan.rounds, setup.plan.steps))
    except ExportError as error:
        raise ExportError(
            f"the run is finished, but {error}; 'bgadl export {folder.path}' tries again"
        ) from error


def _answers_file(out: Path) -> Path:
    return out / "to_label.csv"
