"""What a tab shows, as JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bgadl_tf.core.types import Id, Json
from bgadl_tf.labelling.answers import Answer, Answers
from bgadl_tf.labelling.worker import Phase, Worker
from bgadl_tf.runs.open_run import OpenRun

RECENT, PRELOADED = 24, 3


@dataclass(frozen=True)
class Showing:
    """What is before one tab.

    Args:
        own: The image that it asks about; None where there is none.
        unanswered: All that is asked about.
        others: What is before other tabs.
        last: What would be undone.
    """

    own: Id | None
    unanswered: tuple[Id, ...]
    others: tuple[Id, ...]
    last: Answer | None


def view(run: OpenRun, worker: Worker, showing: Showing, answers: Answers) -> Json:
    """Everything that a tab shows.

    Args:
        run: What is labelled.
        worker: What it is doing, held still.
        showing: What is before the tab.
        answers: What has been said.

    Returns:
        ``phase`` and ``problem``; ``round`` of ``rounds``; ``classes``; ``query``, how many
        images it has and are left or with others; ``current``, the image with the model's guess;
        ``next``, ids worth loading; ``recent`` answers; ``undo``, what would be undone;
        ``finished`` rounds with their accuracy; ``training``, the step it is at; ``begins_in``,
        seconds to training; and names of run, acquisition and, at the end, the export.
    """
    loop, finished = run.loop, run.folder.journal.finished()
    return {
        "run": run.folder.path.resolve().name,
        "acquisition": run.setup.described["acquisition"],
        "phase": worker.phase.value,
        "problem": worker.problem,
        "round": len(finished),
        "rounds": loop.plan.rounds,
        "classes": [*loop.dataset.class_names],
        "query": {
            "asked": worker.asked,
            "left": len(showing.unanswered),
            "with_others": len(showing.others),
        },
        "current": None if showing.own is None else _current(run, worker, showing.own),
        "next": _next(showing),
        "recent": [_answer(answer) for answer in answers.recent(RECENT)],
        "undo": None if showing.last is None else _answer(showing.last),
        "finished": [
            {name: record[name] for name in ("round", "labelled", "test_accuracy")}
            for record in finished
        ],
        "training": _training(run, worker),
        "begins_in": worker.begins_in,
        "export": str(run.folder.path / "export") if worker.phase == Phase.FINISHED else None,
    }


def _current(run: OpenRun, worker: Worker, id_: Id) -> Json:
    loop = run.loop
    query, guess = loop.labelling.open(loop.round), worker.guesses.get(id_)
    score = dict(zip(query.ids, query.scores, strict=True)).get(id_)
    return {
        "id": id_,
        "synthesised": loop.examples.is_synthesised(id_),
        # Of the initial set all scores are 0.
        "score": score if loop.round else None,
        "guess": None if guess is None else {
            "label": guess.label, "probability": guess.probability, "bald": guess.bald
        },
    }  # fmt: skip


def _next(showing: Showing) -> list[Id]:
    taken: Collection[Id | None] = {showing.own, *showing.others}
    return [id_ for id_ in showing.unanswered if id_ not in taken][:PRELOADED]


def _answer(answer: Answer) -> Json:
    who = answer.source.removeprefix("page:")
    return {"id": answer.id, "label": answer.label, "who": who}


def _training(run: OpenRun, worker: Worker) -> Json | None:
    step, plan = worker.step, run.loop.plan
    if worker.phase != Phase.TRAINING or step is None or step.round != run.loop.round:
        return None
    stages: Any = run.loop.learner.stages(step.round, plan.warm_start)
    steps = next((stage.steps for stage in stages if stage.name == step.stage), None)
    return {"stage": step.stage, "step": step.step, "steps": steps or plan.steps}
