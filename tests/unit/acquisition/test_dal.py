"""Discriminative active learning: what is unlike the labelled ones, in mini-queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.acquisition import dal
from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.dal import DAL
from bgadl_tf.acquisition.labelled_or_not import LabelledOrNot
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, DivergenceError, PoolError, ScoreError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.pool_view import GivenEvidence, GivenView

Vectors = NDArray[np.floating[Any]]


def ids_of(count: int) -> list[Id]:
    return [f"x{row:04}" for row in range(count)]


def view_of(
    vectors: Vectors, labelled: Mapping[int, Label], order: Sequence[int] = ()
) -> GivenView:
    evidence = GivenEvidence.of_tables(
        np.full((1, len(vectors), 2), np.log(0.5), np.float32), vectors.astype(np.float32)
    )
    ids = ids_of(len(vectors))
    rows = [row for row in order or range(len(vectors)) if row not in labelled]
    return GivenView(evidence, ids, rows, labels={ids[row]: y for row, y in labelled.items()})


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    options = {"epochs": 60, "learning_rate": 3e-3, **options}
    return DAL(**options).query(view, size, np.random.default_rng(seed))


def rows_of(query: Query) -> list[int]:
    return [int(id_[1:]) for id_ in query.ids]


def clusters(count: int, seed: int = 0) -> Vectors:
    """Rows of even numbers about (0, 0), of odd ones about (5, 5)."""
    noise = np.random.default_rng(seed).normal(size=(count, 2))
    return 5.0 * (np.arange(count) % 2)[:, None] + noise


def test_the_first_mini_query_lies_where_nothing_is_labelled() -> None:
    vectors = clusters(120)
    query = ask(view_of(vectors, dict.fromkeys(range(0, 40, 2), 0)), 8, mini_queries=1)
    assert all(row % 2 for row in rows_of(query))
    assert all(0.5 < score <= 1 for score in query.scores)


def test_what_was_chosen_counts_as_labelled() -> None:
    # Two unlabelled clusters; with one mini-query the farther one, with several both.
    centres = np.array([(0, 0), (5, 0), (9, 9)])
    noise = 0.1 * np.random.default_rng(0).normal(size=(90, 2))
    vectors = centres[np.arange(90) % 3] + noise
    view = view_of(vectors, dict.fromkeys(range(0, 60, 3), 0))
    several = ask(view, 6, mini_queries=6, epochs=200)
    assert {row % 3 for row in rows_of(several)} == {1, 2}
    # Scores of the mini-query n of N are in [N - n, N - n + 1].
    assert [int(np.ceil(score)) for score in several.scores] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(("size", "count", "sizes"), [(7, 3, [3, 2, 2]), (2, 10, [1, 1])])
def test_mini_queries_share_the_query(
    size: int, count: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def train(self: LabelledOrNot, labelled: NDArray[np.bool_], *rest: Any) -> int:
        held.append(int(labelled.sum()))
        return 0

    monkeypatch.setattr(LabelledOrNot, "train", train)
    ask(view_of(clusters(60), {0: 0, 2: 0}), size, mini_queries=count)
    assert np.diff([*held, 2 + size]).tolist() == sizes


def test_training_ends_once_both_are_told_apart() -> None:
    features = clusters(400).astype(np.float32)
    labelled = np.arange(400) % 2 == 0
    network = LabelledOrNot(features, 3e-3)
    early = network.train(labelled, 50, 0.9, seed=0)
    assert early < 50
    assert network.train(labelled, 3, 1.0, seed=0) == 3


def test_labelled_and_unlabelled_count_as_much() -> None:
    # Released: the weights that were to balance them are both 1. With 4 labelled of 400 and nothing
    # to tell them by, a network that is not balanced would call nearly all unlabelled, at once be
    # right about 99 % and end its training.
    features = np.zeros((400, 2), np.float32)
    labelled = np.arange(400) < 4
    network = LabelledOrNot(features, 3e-3)
    assert network.train(labelled, 30, 0.98, seed=0) == 30
    assert abs(network.logits()[0]) < 0.5


def test_the_seed_decides() -> None:
    view = view_of(clusters(60), {0: 0, 2: 0})
    assert ask(view, 5, 1) == ask(view, 5, 1)
    assert ask(view, 5, 1).scores != ask(view, 5, 2).scores


def test_every_training_begins_anew() -> None:
    features = clusters(60).astype(np.float32)
    labelled = np.arange(60) % 2 == 0
    network = LabelledOrNot(features, 3e-3)
    network.train(labelled, 5, 1.0, seed=1)
    first = network.logits()
    network.train(~labelled, 5, 1.0, seed=2)
    network.train(labelled, 5, 1.0, seed=1)
    np.testing.assert_array_equal(network.logits(), first)


def test_candidates_are_drawn_in_proportion_to_the_labelled_ones() -> None:
    view = view_of(clusters(200), {0: 0, 2: 0})
    asked = {rows_of(ask(view, 1, seed, ratio=2.0, epochs=1))[0] for seed in range(8)}
    assert len(asked) > 3
    # As many as are asked for are always drawn.
    assert len({*rows_of(ask(view, 198, ratio=1.0, epochs=1))}) == 198


def test_of_very_many_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dal, "MOST", 5)
    view = view_of(clusters(60), dict.fromkeys(range(30), 0))
    assert len(ask(view, 20, epochs=1).ids) == 20


def test_the_order_of_the_pool_does_not_matter() -> None:
    vectors = clusters(80)
    shuffled = np.random.default_rng(2).permutation(80).tolist()
    first = ask(view_of(vectors, {3: 0, 4: 1}), 10, epochs=3)
    assert ask(view_of(vectors, {4: 1, 3: 0}, shuffled), 10, epochs=3) == first


def test_constant_features_and_duplicates() -> None:
    query = ask(view_of(np.ones((30, 3)), {0: 0}), 29, epochs=2)
    assert len({*query.ids}) == 29
    assert np.isfinite(query.scores).all()


def test_a_pool_of_one() -> None:
    assert ask(view_of(clusters(6), dict.fromkeys(range(5), 0)), 1, epochs=2).ids == ("x0005",)


def test_without_labels_or_candidates_it_is_an_error() -> None:
    with pytest.raises(PoolError, match="nothing is labelled yet"):
        ask(view_of(clusters(6), {}), 1)
    with pytest.raises(PoolError, match="only 4 candidates"):
        ask(view_of(clusters(6), {0: 0, 1: 0}), 5)


def test_what_is_not_finite_is_an_error() -> None:
    vectors = clusters(20)
    vectors[3, 1] = np.nan
    with pytest.raises(ScoreError, match="1 examples are not finite, the first those of 'x0003'"):
        ask(view_of(vectors, {0: 0}), 2, ratio=50.0)
    with pytest.raises(DivergenceError, match=r"lower --option dal\.learning_rate"):
        ask(view_of(clusters(20), {0: 0}), 2, learning_rate=1e38)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("mini_queries", 0, r"dal\.mini_queries is 0; it must be at least 1"),
        ("ratio", 0.5, r"dal\.ratio is 0\.5; it must be at least 1"),
        ("accuracy", 0.0, r"dal\.accuracy is 0\.0; it must be in \(0, 1\]"),
        ("epochs", 0, r"dal\.epochs is 0; it must be at least 1"),
        ("learning_rate", 0.0, r"dal\.learning_rate is 0\.0; it must be positive"),
        ("layer", "x", r"dal\.layer is x; it must be one of inputs, features, penultimate"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("dal", lambda name, owner: {option: value})


def test_in_the_loop() -> None:
    rng = np.random.default_rng(0)
    examples = rng.normal(size=(90, 6)).astype(np.float32)
    labels = (np.arange(90) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    kind = LEARNERS.get("plain")
    learner = kind.create(CLASSIFIERS.get("mlp")((6,), 3), kind.options_type())
    plan = Plan(rounds=2, query_size=4, initial_size=6, candidates=50, steps=2, batch_size=6)
    active = ActiveLearner(learner, DAL(epochs=3), dataset, plan=plan)
    assert active.run()
    assert [record["labelled"] for record in active.journal.finished()] == [6, 10, 14]
    assert active.scorer.score_traces == 1
