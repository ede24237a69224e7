"""One run from beginning to end, or from where it stopped to where it can go."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import ConfigError, ExportError
from bgadl_tf.core.types import Json
from bgadl_tf.export.models import ExportedModels
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.oracles.answers_file import AnswersFile, write_template
from bgadl_tf.loop.plan import Plan
from bgadl_tf.runs import synthesised
from bgadl_tf.runs.build import Setup
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.export import export_once
from bgadl_tf.runs.open_run import open_run
from bgadl_tf.runs.run_folder import RunFolder

logger = logging.getLogger(__name__)


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
        loop = run.loop
        told = _take_answers(loop, out)
        if loop.round:
            loop.take_given_labels()
        _say_what_is_left(loop, told or run.changed)
        run.pictures.catch_up()
        waits = not loop.finished and not run.go_on()
        rounds = [*run.folder.journal.finished()]
        if waits:
            return Outcome(out, rounds, waiting_for=_ask_person(loop, out))
        exported = _export(run.setup, run.folder, loop.plan) if export else None
        return Outcome(out, rounds, exported=exported)


def _take_answers(loop: ActiveLearner, out: Path) -> bool:
    """What a person has written since the last time: answers, asked for or not, and corrections.

    Returns:
        Whether there was any.
    """
    file = _answers_file(out)
    if not file.exists():
        return False
    person = AnswersFile(file, loop.dataset.class_names)
    news = loop.labelling.news(person.answers(loop.labelling.known_ids), person.source)
    if news:
        loop.tell(news, person.source, correct=True)
    return bool(news)


def _ask_person(loop: ActiveLearner, out: Path) -> Path:
    """Adds what is asked to the file for answers, unless that is a person's own and wrong.

    Images that were synthesised are nowhere else to be seen, and are written beside it.
    """
    file, known = _answers_file(out), loop.labelling.known_ids
    asked = loop.ask().ids
    synthesised.write(loop, asked, out)
    write_template(file, asked, known)
    person = AnswersFile(file, loop.dataset.class_names)
    person.answers(known)
    if person.unmatched:
        logger.warning(
            "%s is left alone because of these rows, and lacks what is asked now: mend or remove "
            "them, then run the same command again",
            file,
        )
    return file


def _say_what_is_left(loop: ActiveLearner, changed: bool) -> None:
    """Tells a person what a run cannot do, or will not do without more rounds.

    Where images have gone the pool may hold too few for all rounds: as many are made as it can.
    """
    plan = loop.plan
    if loop.finished:
        if changed:
            logger.warning(
                "the run has made its %d rounds: what is new holds from round %d on; give more "
                "--rounds to train on it",
                plan.rounds, loop.round,
            )  # fmt: skip
        return
    labels = set(loop.pool.labels.values())
    names = loop.dataset.class_names
    if loop.round and (lacking := [n for c, n in enumerate(names) if c not in labels]):
        logger.warning("no labelled example is of the class %s", ", ".join(lacking))
    made = loop.round if loop.journal.query(loop.round) else loop.round - 1
    left = loop.pool.unlabelled_count - len(loop.labelling.open(loop.round).ids)
    possible = max(made, 0) + left // plan.query_size
    if loop.round and possible < plan.rounds:
        logger.warning(
            "only %d examples are left in the pool: the run ends after round %d, not %d; add "
            "images to go on",
            left, possible, plan.rounds,
        )  # fmt: skip
        loop.plan = dataclasses.replace(plan, rounds=possible)


def _export(setup: Setup, folder: RunFolder, plan: Plan) -> ExportedModels | None:
    try:
        return export_once(folder, setup.learner, (plan.rounds, plan.steps))
    except (ConfigError, ExportError) as error:
        raise ExportError(
            f"the run is finished, but {error}; 'bgadl export {folder.path}' tries again"
        ) from error


def _answers_file(out: Path) -> Path:
    return out / "to_label.csv"
