"""One run from beginning to end, or from where it stopped to where it can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import ConfigError, ExportError
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
from bgadl_tf.runs.run_folder import RunFolder, refuse_inside


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
    A finished run is exported, once; with more rounds it goes on. What has changed in the dataset
    since the last call is found and said: see ``DatasetHistory``.

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
    refuse_inside(out, config.dataset)
    folder = RunFolder(out)
    setup = build(config, folder)
    with folder.opened(setup.described, setup.defaults):
        progress = Progress(out, setup.learner, setup.plan, len(folder.journal.finished()))
        pictures = Pictures(out / "figures", setup.dataset, folder.journal)
        loop = setup.active_learner(folder.journal, (progress, pictures, *callbacks))
        folder.update(setup.described, loop.history.starts[-1]["fingerprint"])
        _take_answers(loop, out)
        if loop.round:
            loop.take_given_labels()
        _refuse_small_pool(loop)
        pictures.catch_up()
        if not loop.finished:
            with progress:
                waits = not loop.run()
        else:
            waits = False
        rounds = [*folder.journal.finished()]
        if waits:
            file = _answers_file(out)
            write_template(file, loop.ask().ids, loop.labelling.known_ids)
            return Outcome(out, rounds, waiting_for=file)
        return Outcome(out, rounds, exported=_export(setup, folder))


def _take_answers(loop: ActiveLearner, out: Path) -> None:
    """What a person has written since the last time: answers, asked for or not, and corrections."""
    file = _answers_file(out)
    if file.exists():
        person = AnswersFile(file, loop.dataset.class_names)
        answers = person.answers(loop.labelling.known_ids)
        if news := loop.labelling.news(answers, person.source):
            loop.tell(news, person.source, correct=True)


def _refuse_small_pool(loop: ActiveLearner) -> None:
    """Make sure that the pool is large enough for the rounds that are still to be asked for.

    Raises:
        ConfigError: Images are gone, or more rounds were asked for than there are images.
    """
    plan, made = loop.plan, loop.round if loop.journal.query(loop.round) else loop.round - 1
    rounds = plan.rounds - max(made, 0)
    left = loop.pool.unlabelled_count - len(loop.labelling.open(loop.round).ids)
    if rounds * plan.query_size > left and loop.round:
        raise ConfigError(
            f"{rounds} rounds of {plan.query_size} labels are still to be made, but only {left} "
            f"examples are left in the pool; add images, or lower --rounds to "
            f"{max(made, 0) + left // plan.query_size}"
        )


def _export(setup: Setup, folder: RunFolder) -> ExportedModels | None:
    try:
        return export_once(folder, setup.learner, (setup.plan.rounds, setup.plan.steps))
    except ExportError as error:
        raise ExportError(
            f"the run is finished, but {error}; 'bgadl export {folder.path}' tries again"
        ) from error


def _answers_file(out: Path) -> Path:
    return out / "to_label.csv"
