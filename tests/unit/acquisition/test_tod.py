"""TOD's score, and which two classifiers it compares, through the real loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.tod import TOD, discrepancy
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.abilities import KeepsPrevious
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.networks import Networks
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.plain import Plain
from bgadl_tf.learners.previous import copy_weights
from bgadl_tf.learners.stage import Stage
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.folder_journal import FolderJournal
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier

PLAN: Mapping[str, Any] = {
    "rounds": 2, "query_size": 5, "initial_size": 20, "candidates": 150, "steps": 6,
    "batch_size": 10,
}  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


def make(name: str = "plain", shape: tuple[int, ...] = (8, 8, 1), classes: int = 10) -> Learner:
    kind = LEARNERS.get(name)
    small = {"width": 0.1, "latent_dim": 5} if name == "vaeacgan" else {}
    learner = kind.create(CLASSIFIERS.get("lenet")(shape, classes), kind.options_type(**small))
    learner.compile()
    return learner


def copy_of(classifier: Classifier) -> Classifier:
    copy: Classifier = type(classifier).from_config(classifier.get_config())
    copy_weights(classifier, copy)
    return copy


def expected_scores(
    active: ActiveLearner, before: Classifier, ids: Sequence[str]
) -> np.ndarray[Any, Any]:
    """By plain predictions, example by example of ``ids``."""
    images = tf.constant(active.dataset.train.examples_of(ids), tf.float32) / 255.0
    now, then = (np.exp(c(images).numpy()) for c in (active.learner.classifier, before))
    scores: np.ndarray[Any, Any] = 0.5 * ((now - then) ** 2).sum(axis=1)
    return scores


def check_query(active: ActiveLearner, before: Classifier) -> Query:
    """The round's query is of the largest discrepancies from ``before`` among all candidates."""
    query = active.ask()
    others = sorted({*active.pool.unlabelled_ids} - {*query.ids})
    np.testing.assert_allclose(
        query.scores, expected_scores(active, before, query.ids), rtol=1e-3, atol=1e-8
    )
    assert min(query.scores) >= expected_scores(active, before, others).max() - 1e-6
    assert max(query.scores) > 0
    return query


def test_the_worked_example() -> None:
    now, before = np.array([[0.7, 0.2, 0.1]], np.float32), np.array([[0.4, 0.5, 0.1]], np.float32)
    assert discrepancy(now, before) == pytest.approx(0.09)
    assert discrepancy(before, now) == pytest.approx(0.09)
    assert discrepancy(now, now) == 0


class View:
    """Two classifiers' fixed probabilities."""

    ids = ("a", "b", "c")
    now = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]], np.float32)
    before = np.array([[0.8, 0.2], [0.5, 0.5], [0.9, 0.1]], np.float32)

    def look(self, look: Any, ids: Any = None, previous: bool = False) -> Iterator[Any]:
        yield from ((part,) for part in np.split(self.before if previous else self.now, [2]))


def test_the_largest_discrepancy_comes_first() -> None:
    """The released code takes the smallest."""
    view: Any = View()
    query = TOD().query(view, 2, np.random.default_rng(0))
    assert query.ids == ("c", "a")
    assert query.scores == pytest.approx((0.49, 0.01))


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("name", ["plain", "vaeacgan", "tod"])
def test_it_compares_with_the_weights_that_the_round_before_began_from(
    name: str, warm_start: bool, digits: Dataset
) -> None:
    """In round 1 these are the initial ones, not those of some other untrained network."""
    plan = Plan(**{**PLAN, "candidates": 0}, warm_start=warm_start)
    active = ActiveLearner(make(name), TOD(), digits, plan=plan)
    assert isinstance(active.learner, KeepsPrevious)
    initial = copy_of(active.learner.classifier)
    assert active.step() is not None
    check_query(active, initial)
    after_round_0 = copy_of(active.learner.classifier)
    assert active.step() is not None
    traces = active.scorer.score_traces
    check_query(active, after_round_0)
    assert active.step() is not None
    assert active.finished
    assert active.scorer.score_traces == traces


class Pretext(Networks):
    """Adds to the weights of a classifier, whatever the examples."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"classifier": self.classifier}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return []

    def train_step(self, data: Any) -> None:
        for weight in self.classifier.trainable_variables:
            weight.assign_add(tf.fill(weight.shape, 0.01))


class Pretrained(Plain):
    """Plain learning from weights that a pretext task has found."""

    def stages(self, round_: int, warm_start: bool = False) -> Sequence[Stage]:
        pretext = Pretext(self.classifier)
        before = Stage(
            "pretext", pretext, pretext.noise_seed, uses_labels=False, becomes_initial=True, steps=2
        )
        return [*([before] if round_ == 0 else []), *super().stages(round_, warm_start)]


def test_after_a_pretext_task_it_compares_with_what_that_has_found(digits: Dataset) -> None:
    learner = Pretrained.create(make().classifier, Options())
    active = ActiveLearner(learner, TOD(), digits, plan=Plan(**PLAN))
    initial = copy_of(learner.classifier)
    for weight in initial.trainable_variables:
        weight.assign_add(tf.fill(weight.shape, 0.02))
    assert active.step() is not None
    query = active.ask()
    np.testing.assert_allclose(
        query.scores, expected_scores(active, initial, query.ids), rtol=1e-3, atol=1e-8
    )


def test_on_replicas(mirrored: tf.distribute.Strategy, digits: Dataset) -> None:
    queries = []
    for strategy in (tf.distribute.get_strategy(), mirrored):
        with strategy.scope():
            learner = make()
        active = ActiveLearner(learner, TOD(), digits, plan=Plan(**PLAN), strategy=strategy)
        active.step()
        queries.append(active.ask())
    assert queries[0].ids == queries[1].ids
    np.testing.assert_allclose(queries[0].scores, queries[1].scores, rtol=1e-2, atol=1e-6)


class Killed(BaseException):
    """The process ends."""


class Kill(Callback):
    """Ends the process in some round, at its query or after its first report."""

    def __init__(self, round_: int, when: str) -> None:
        self.round, self.when = round_, when

    def on_query(self, round_: int, query: Query) -> None:
        if (round_, "query") == (self.round, self.when):
            raise Killed

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        if (round_, "step") == (self.round, self.when):
            raise Killed


def run(folder: Path, name: str, digits: Dataset, *callbacks: Callback, rounds: int = 3) -> bool:
    """Some rounds in a new process, as far as the folder is concerned."""
    folder.mkdir(exist_ok=True)
    journal = FolderJournal(folder)
    with journal.opened():
        active = ActiveLearner(
            make(name), TOD(), digits, plan=Plan(**PLAN), journal=journal, callbacks=callbacks
        )
        for _ in range(rounds):
            active.step()
        return active.finished


def queries_of(folder: Path) -> list[str]:
    return [file.read_text() for file in sorted(folder.glob("queries/*.json"))]


@pytest.mark.parametrize("name", [pytest.param("plain", marks=pytest.mark.slow), "tod"])
def test_what_was_killed_asks_as_what_was_not(name: str, digits: Dataset, tmp_path: Path) -> None:
    assert run(tmp_path / "whole", name, digits)
    whole = queries_of(tmp_path / "whole")
    assert len(whole) == 3
    stopped = tmp_path / "stopped"
    assert not run(stopped, name, digits, rounds=1)
    assert not run(stopped, name, digits, rounds=1)
    assert run(stopped, name, digits, rounds=1)
    assert queries_of(stopped) == whole
    killed = tmp_path / "killed"
    for round_, when in ((0, "step"), (1, "query"), (1, "step")):
        with pytest.raises(Killed):
            run(killed, name, digits, Kill(round_, when))
    assert run(killed, name, digits)
    assert queries_of(killed) == whole
