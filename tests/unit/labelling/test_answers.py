"""What is in force, and what would be undone, follows from the ledger alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgadl_tf.core.types import Label
from bgadl_tf.data.load import load_dataset
from bgadl_tf.labelling.answers import Answers
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner

ANN, BOB = "page:Ann", "page:Bob"


@pytest.fixture
def loop(tmp_path: Path) -> ActiveLearner:
    """Asks about 20 digits."""
    return ActiveLearner(
        small_learner("plain"), "random", load_dataset("digits"), folder=tmp_path,
        plan=Plan(rounds=1, initial_size=20, query_size=5),
    )  # fmt: skip


def recent(answers: Answers) -> list[tuple[str, Label | None, str]]:
    return [(answer.id, answer.label, answer.source) for answer in answers.recent(9)]


def undone(answers: Answers, source: str) -> tuple[str, Label | None] | None:
    newest = answers.newest_of(source)
    return None if newest is None else (newest.id, newest.label)


def test_the_newest_of_everybody_come_first(loop: ActiveLearner) -> None:
    answers, (a, b, c, *_) = Answers(loop), loop.ask().ids
    assert recent(answers) == []
    loop.tell({a: 1}, ANN)
    loop.tell({b: None}, BOB)
    loop.tell({c: 2}, "held-back")
    assert recent(answers) == [(b, None, BOB), (a, 1, ANN)]
    assert undone(answers, ANN) == (a, 1)
    assert undone(answers, BOB) == (b, None)
    assert undone(answers, "page:") is None
    loop.tell({a: 3}, BOB, correct=True)
    assert recent(answers) == [(a, 3, BOB), (b, None, BOB)]
    assert len(answers.recent(1)) == 1


def test_what_is_undone_is_no_longer_there(loop: ActiveLearner) -> None:
    answers, (a, b, *_) = Answers(loop), loop.ask().ids
    loop.tell({a: 1}, ANN)
    loop.tell({b: 2}, ANN)
    loop.withdraw([b], ANN)
    assert undone(answers, ANN) == (a, 1)
    loop.withdraw([a], ANN)
    assert undone(answers, ANN) is None
    assert answers.of(a) is None
    loop.tell({a: 5}, ANN)
    assert undone(answers, ANN) == (a, 5)


def test_a_correction_is_undone_before_the_answer(loop: ActiveLearner) -> None:
    answers, (a, *_) = Answers(loop), loop.ask().ids
    loop.tell({a: 1}, ANN)
    loop.tell({a: 2}, BOB, correct=True)
    # What somebody else has corrected since is no longer Ann's to undo.
    assert undone(answers, ANN) is None
    newest = answers.newest_of(BOB)
    assert newest is not None
    assert newest.before is not None
    assert (newest.before.label, newest.before.source) == (1, ANN)
    loop.tell({a: 1}, BOB, correct=True)
    assert undone(answers, BOB) is None
    assert undone(answers, ANN) == (a, 1)
    loop.tell({a: 3}, ANN, correct=True)
    loop.tell({a: 4}, ANN, correct=True)
    loop.tell({a: 3}, ANN, correct=True)
    assert undone(answers, ANN) == (a, 3)
    again = Answers(loop)
    assert recent(again) == recent(answers) == [(a, 3, ANN)]
    assert undone(again, ANN) == (a, 3)
