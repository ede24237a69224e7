"""Answers that are taken back, and answers that come while a round is being fitted."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgadl_tf.core.errors import LedgerError, PoolError
from bgadl_tf.core.types import Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.ledger import Record
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner

PLAN = Plan(
    rounds=2, query_size=5, initial_size=20, candidates=60, mc_samples=5, steps=20, batch_size=20
)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The embedded dataset."""
    return load_dataset("digits")


def make_loop(digits: Dataset, folder: Path, *callbacks: Callback, **plan: Any) -> ActiveLearner:
    return ActiveLearner(
        small_learner("plain"), "bald", digits, folder=folder, callbacks=callbacks,
        plan=replace(PLAN, **plan),
    )  # fmt: skip


def right(digits: Dataset) -> dict[str, Label]:
    return dict(zip(digits.train.ids, digits.train.labels.tolist(), strict=True))


def test_what_is_withdrawn_is_asked_again_in_its_place(digits: Dataset, tmp_path: Path) -> None:
    loop, labels = make_loop(digits, tmp_path), right(digits)
    asked = loop.ask().ids
    loop.tell({id_: (labels[id_] + 1) % 10 for id_ in asked[:3]}, "Ann")
    loop.tell({asked[3]: None}, "Ann")
    loop.withdraw([asked[1], asked[3]], "Ann")
    assert loop.ask().ids == (asked[1], *asked[3:])
    assert loop.pool.labelled_ids == (asked[0], asked[2])
    assert not loop.pool.skipped
    loop.pool.check()
    loop.journal.close()
    again = make_loop(digits, tmp_path)
    assert again.ask().ids == (asked[1], *asked[3:])
    again.tell({asked[1]: labels[asked[1]]}, "Ann")
    assert again.pool.labels[asked[1]] == labels[asked[1]]
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [line.get("withdrawn") for line in lines] == [None] * 4 + [True, True, None]
    assert not any("correction" in line for line in lines)


def test_a_run_does_not_remember_what_was_withdrawn(digits: Dataset, tmp_path: Path) -> None:
    labels, results = right(digits), []
    for name in ("straight", "wavering"):
        loop = make_loop(digits, tmp_path / name, rounds=1)
        while not loop.finished:
            asked = loop.ask().ids
            if name == "wavering":
                loop.tell({asked[0]: 9 - labels[asked[0]], asked[1]: None})
                loop.withdraw(asked[:2])
            loop.tell({id_: labels[id_] for id_ in asked})
            results.append(loop.fit())
        loop.journal.close()
    both = len(results) // 2
    for one, other in zip(results[:both], results[both:], strict=True):
        assert (one.queried, one.test_nll) == (other.queried, other.test_nll)


def test_what_is_trained_on_is_corrected_and_not_withdrawn(digits: Dataset, tmp_path: Path) -> None:
    loop, labels = make_loop(digits, tmp_path), right(digits)
    asked = loop.ask().ids
    with pytest.raises(PoolError, match="has no answer that could be withdrawn"):
        loop.withdraw(asked[:1])
    with pytest.raises(PoolError, match="no example of the pool is called 'nobody'"):
        loop.withdraw(["nobody"])
    loop.tell({id_: labels[id_] for id_ in asked})
    loop.fit()
    new = loop.ask().ids
    loop.tell({new[0]: 1})
    before = (tmp_path / "labels.jsonl").read_bytes()
    with pytest.raises(PoolError, match=r"is trained on already; tell\(.*\) changes it"):
        loop.withdraw([new[0], asked[0]])
    assert (tmp_path / "labels.jsonl").read_bytes() == before
    assert loop.pool.labels[new[0]] == 1


def test_a_source_that_said_it_before_has_no_news(digits: Dataset, tmp_path: Path) -> None:
    loop = make_loop(digits, tmp_path)
    one, two = loop.ask().ids[:2]
    loop.tell({one: 1, two: 2}, "file")
    loop.withdraw([one], "Ann")
    loop.withdraw([two], "file")
    assert loop.labelling.news({one: 1, two: 2}, "file") == {two: 2}
    assert loop.labelling.news({one: 3}, "file") == {one: 3}


class Interfering(Callback):
    """Has another thread tell and ask what has begun, in the middle of training."""

    def __init__(self) -> None:
        self.loop: ActiveLearner | None = None
        self.correction: Mapping[str, Label] = {}
        self.problems: list[Exception] = []

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        if self.correction and self.loop is not None:
            thread = threading.Thread(target=self._interfere, args=(dict(self.correction),))
            self.correction = {}
            thread.start()
            thread.join()

    def _interfere(self, correction: dict[str, Label]) -> None:
        assert self.loop is not None
        try:
            self.loop.tell(correction, "Ann", correct=True)
        except PoolError as error:
            self.problems.append(error)
        try:
            self.loop.withdraw(correction, "Ann")
        except PoolError as error:
            self.problems.append(error)


def test_what_another_thread_tells_meanwhile_holds_from_the_next_round(
    digits: Dataset, tmp_path: Path
) -> None:
    labels, accuracies = right(digits), []
    for name in ("alone", "disturbed"):
        other = Interfering()
        loop = make_loop(digits, tmp_path / name, other)
        asked = loop.ask().ids
        loop.tell({id_: labels[id_] for id_ in asked})
        if name == "disturbed":
            other.loop, other.correction = loop, {asked[0]: 9 - labels[asked[0]]}
        accuracies.append(loop.fit().test_nll)
        loop.journal.close()
    assert accuracies[0] == accuracies[1]
    assert not other.correction
    assert ["trained on already" in str(problem) for problem in other.problems] == [True]
    assert loop.labelling.corrected_in(1) == [asked[0]]
    assert loop.pool.labels[asked[0]] == 9 - labels[asked[0]]


def test_a_withdrawal_has_no_label() -> None:
    with pytest.raises(LedgerError, match="is withdrawn and labelled 3"):
        Record("a", 3, 0, "Ann", withdrawn=True)
    with pytest.raises(LedgerError, match="withdrawn of 'a' is 1; expected true"):
        Record.from_json({"id": "a", "label": None, "round": 0, "source": "x", "withdrawn": 1})
