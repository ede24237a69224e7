"""Answers of Label Studio, told to a run, and what the run then does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.types import Id
from bgadl_tf.labelling.labelstudio import exports
from bgadl_tf.labelling.labelstudio.annotations import SOURCE, Answers, understood
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.runs.open_run import OpenRun


@dataclass(frozen=True)
class Pulled:
    """What a pull has told a run.

    Attributes:
        labelled: Answers that were new.
        declined: Skips that were new.
        corrected: Of both, those that change an earlier answer.
        withdrawn: Ids whose annotation was deleted, and which are to be labelled again.
        kept: Ids whose annotation was deleted, but whose label has been trained on.
        problems: Why nothing was told of an example, a line each.
    """

    labelled: int
    declined: int
    corrected: int
    withdrawn: tuple[Id, ...]
    kept: tuple[Id, ...]
    problems: Sequence[str]


def tell_file(loop: ActiveLearner, file: Path) -> Pulled:
    """Tell a run what is new in an exported file; what it does not hold is no news.

    Raises:
        DataError: It cannot be read, or is no export.
    """
    return told(loop, understood_by(loop, exports.read(file)), {})


def go_on(run: OpenRun, fit: bool = True) -> None:
    """Train and ask again for as long as no label is missing; nobody is simulated.

    Args:
        run: Open.
        fit: Whether it trains; else it asks only.
    """
    loop = run.loop
    with run.progress:
        while not loop.finished and not loop.ask().ids and fit:
            loop.fit()


def understood_by(loop: ActiveLearner, annotations: Sequence[exports.Annotation]) -> Answers:
    """What annotations come to for a run; see ``annotations.understood``."""
    return understood(annotations, loop.labelling.known_ids, loop.dataset.class_names)


def told(loop: ActiveLearner, answers: Answers, gone: Mapping[Id, str]) -> Pulled:
    """Tell a run what is new.

    Args:
        loop: Of the run.
        answers: New or not.
        gone: Who gave the answers that are there no longer, by id.
    """
    labelled = declined = corrected = 0
    for source, said in answers.of.items():
        news = loop.labelling.news(said, source)
        if not news:
            continue
        answered = {id_ for id_ in news if loop.pool.is_answered(id_)}
        loop.tell(news, source, correct=True)
        declined += sum(label is None for label in news.values())
        labelled += sum(label is not None for label in news.values())
        corrected += len(answered)
    now = {id_ for id_ in gone if _can_be_withdrawn(loop, id_)}
    for source in {gone[id_] for id_ in now}:
        loop.withdraw([id_ for id_ in now if gone[id_] == source], source)
    return Pulled(
        labelled, declined, corrected,
        withdrawn=tuple(id_ for id_ in gone if id_ in now),
        kept=tuple(id_ for id_ in gone if id_ not in now),
        problems=answers.problems,
    )  # fmt: skip


def _can_be_withdrawn(loop: ActiveLearner, id_: Id) -> bool:
    """Whether an answer has not been trained on."""
    answered = loop.pool.answered_in(id_)
    return answered == loop.round and not loop.fitting.has_begun(loop.round)


def given_by(loop: ActiveLearner) -> dict[Id, str]:
    """Who of Label Studio gave the answers that hold, by today's ids."""
    known = loop.labelling.known_ids
    newest: dict[Id, str] = {}
    for record in loop.journal.ledger.records():
        id_ = known.get(record.id)
        if id_ is None:
            continue
        newest.pop(id_, None)
        if not record.withdrawn:
            newest[id_] = record.source
    return {id_: source for id_, source in newest.items() if source.startswith(SOURCE)}
