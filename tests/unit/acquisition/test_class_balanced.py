"""Class-balanced batches: the worked example, brute force over batches, and degenerate pools."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition import balance
from bgadl_tf.acquisition.acquisition import ScoreAcquisition, create
from bgadl_tf.acquisition.balance import BalancedChoice
from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.acquisition.class_balanced import ClassBalanced, wanted
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.margin import Margin
from bgadl_tf.acquisition.predictive_entropy import PredictiveEntropy
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.abilities import MCDropout
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner
from tests.support.pool_view import GivenEvidence, GivenView

WORKED = [(0.5, 0.5), (0.55, 0.45), (0.1, 0.9), (0.2, 0.8)]


def view_of(
    probs: Any, labelled: Sequence[int] = (), rows: Sequence[int] | None = None
) -> GivenView:
    probs = np.array(probs, np.float32)
    count = len(probs)
    # What is labelled is known and no candidate.
    every = np.concatenate([probs, np.full((len(labelled), probs.shape[1]), 0.5, np.float32)])
    with np.errstate(divide="ignore"):
        evidence = GivenEvidence.of_tables(np.log(every)[np.newaxis], every)
    ids = [f"{row:03}" for row in range(len(every))]
    labels = dict(zip(ids[count:], labelled, strict=True))
    return GivenView(evidence, ids, range(count) if rows is None else rows, 3, labels)


def ask(view: GivenView, size: int, inner: Any = None, **options: Any) -> Query:
    acquisition = ClassBalanced(inner or PredictiveEntropy(), **options)
    return acquisition.query(view, size, np.random.default_rng(0))


def rows_of(query: Query) -> set[int]:
    return {int(id_) for id_ in query.ids}


def some(seed: int, count: int = 10, classes: int = 3, weight: float = 0.6) -> BalancedChoice:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(classes, 0.4), count).astype(np.float32)
    return BalancedChoice(rng.random(count), probs, rng.random(classes) * 3, weight)


@pytest.mark.parametrize("exact", [0, 500])
@pytest.mark.parametrize(
    ("weight", "rows", "objective"),
    [(0.0, {0, 1}, -1.3813), (0.6, {2, 3}, -0.4655), (2.0, {2, 3}, 0.3745)],
)
def test_the_worked_example(weight: float, rows: set[int], objective: float, exact: int) -> None:
    # Two of class 0 are labelled and none of class 1.
    view = view_of(WORKED, [0, 0])
    np.testing.assert_allclose(wanted(view, 2), [0, 2])
    query = ask(view, 2, balance=weight, scale="none", exact=exact)
    assert rows_of(query) == rows
    total = -sum(query.scores) + weight * query.facts["imbalance"]
    assert total == pytest.approx(objective, abs=1e-4)


def test_the_objective_of_the_runner_up() -> None:
    probs = np.array(WORKED, np.float32)
    costs = (probs * np.log(probs)).sum(1).astype(np.float64)
    choice = BalancedChoice(costs, probs, np.array([0.0, 2.0]), 0.6)
    assert choice.objective([0, 3]) == pytest.approx(-0.3535, abs=1e-4)


def best_of(choice: BalancedChoice, count: int, size: int) -> float:
    return min(choice.objective(rows) for rows in itertools.combinations(range(count), size))


@pytest.mark.parametrize("weight", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_solved_is_the_best(size: int, weight: float) -> None:
    for seed in range(6):
        choice = some(seed, weight=weight)
        rows = choice.solved(size)
        assert len({*rows}) == size
        assert choice.objective(rows) == pytest.approx(best_of(choice, 10, size), abs=1e-6)


@pytest.mark.parametrize("block", [2**22, 7])
@pytest.mark.parametrize("weight", [0.0, 0.3, 2.0])
def test_greedy_is_hardly_worse_than_the_best(
    weight: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance, "BLOCK_VALUES", block)
    lost = []
    for seed, size in itertools.product(range(12), (1, 3, 5)):
        choice = some(seed, weight=weight)
        rows = choice.greedy(size)
        assert len({*rows}) == size
        lost.append(choice.objective(rows) - best_of(choice, 10, size))
    assert min(lost) > -1e-9
    assert np.mean(np.array(lost) < 1e-6) >= (1.0 if weight == 0 else 0.75)
    assert np.mean(lost) < 0.02 * (1 + weight)


def test_no_exchange_of_one_makes_the_greedy_choice_better() -> None:
    choice = some(5, count=40, classes=4)
    rows = choice.greedy(9)
    for place, other in itertools.product(range(9), {*range(40)} - {*rows}):
        exchanged = [*rows[:place], other, *rows[place + 1 :]]
        assert choice.objective(exchanged) > choice.objective(rows) - 1e-8


def test_a_stopped_solver_is_never_worse_than_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "NODES", 1)
    for seed in range(4):
        choice = some(seed, count=30, classes=5)
        rows = choice.solved(8)
        assert len({*rows}) == 8
        assert choice.objective(rows) <= choice.objective(choice.greedy(8)) + 1e-12


def test_what_is_wanted_brings_the_classes_level() -> None:
    # Class 2 is missing among the labelled; class 0 has more than its share.
    view = view_of(np.full((6, 3), 1 / 3), [0, 0, 0, 0, 0, 1])
    np.testing.assert_allclose(wanted(view, 6), [0, 3, 4])
    np.testing.assert_allclose(wanted(view_of(np.full((6, 3), 1 / 3)), 6), [2, 2, 2])


def test_without_a_price_it_is_the_acquisition_inside() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(4), 60)
    best = create("predictive_entropy").query(view_of(probs), 8, np.random.default_rng(0))
    asked = ask(view_of(probs), 8, balance=0.0)
    assert asked.ids == best.ids
    assert asked.scores == best.scores


def test_a_batch_holds_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    classes = np.array([0] * 50 + [1] * 8 + [2] * 8)
    probs = 0.05 + 0.85 * np.eye(3)[classes] + 0.02 * rng.random((66, 1))
    view = view_of(probs / probs.sum(1, keepdims=True), [0, 0, 0])
    held = np.bincount([classes[row] for row in rows_of(ask(view, 9, balance=5.0))], minlength=3)
    assert held[0] <= 2
    assert abs(held[1] - held[2]) <= 1


def test_scores_of_any_size_weigh_alike() -> None:
    rng = np.random.default_rng(1)
    choices = []
    probs = rng.dirichlet(np.ones(3), 60)
    for factor in (1.0, 1e-4):

        class Scaled(PredictiveEntropy):
            def score(self, evidence: Any) -> Any:
                return factor * super().score(evidence)  # noqa: B023

        choices.append(ask(view_of(probs, [0, 1]), 6, Scaled(), balance=0.3).ids)
    assert choices[0] == choices[1]


@dataclass(frozen=True)
class Distances(ScoreAcquisition):
    """Minus the first feature; 1e9 stands for one that is not known."""

    no_score = -1e9

    def score(self, evidence: Evidence) -> tf.Tensor:
        return -evidence.features[:, 0]


@pytest.mark.parametrize("exact", [0, 500])
def test_what_nothing_is_known_of_does_not_level_the_others(exact: int) -> None:
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.ones(3), 61)
    distances = np.append(rng.random(60), np.float32(1e9)).astype(np.float32)
    choices = []
    for count in (60, 61):
        view = view_of(probs, [0, 1])
        evidence = dataclasses.replace(
            view.evidence, features=np.append(distances, [1, 1]).astype(np.float32)[:, None]
        )
        view = dataclasses.replace(view, evidence=evidence, rows=range(count))
        choices.append(ask(view, 6, Distances(), exact=exact, balance=0.02))
    assert choices[0] == choices[1]
    nearest = np.argsort(distances)[:10]
    assert rows_of(choices[1]) <= {*nearest.tolist()}


def test_where_nothing_is_known_of_any_the_classes_are_brought_level() -> None:
    view = view_of(WORKED, [0, 0])
    alike = np.full((6, 1), 1e9, np.float32)
    view = dataclasses.replace(view, evidence=dataclasses.replace(view.evidence, features=alike))
    assert rows_of(ask(view, 2, Distances())) == {2, 3}


@pytest.mark.parametrize("name", ["dfal", "mase"])
def test_what_is_farthest_is_the_score_of_nothing_known(name: str) -> None:
    kernel = np.ones((2, 2), np.float32)  # of no boundary
    evidence = dataclasses.replace(view_of(WORKED).evidence, last_kernel=kernel)
    weights = evidence.classifier.weights
    before = [weight.numpy() for weight in weights]
    for weight in weights:
        weight.assign(tf.zeros_like(weight))
    inner = create(name)
    assert isinstance(inner, ScoreAcquisition)
    np.testing.assert_array_equal(inner.score(evidence), np.float32(inner.no_score))  # type: ignore[arg-type]
    for weight, old in zip(weights, before, strict=True):
        weight.assign(old)


def test_negative_scores_are_taken() -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(3), 20)
    asked = ask(view_of(probs), 5, Margin())
    assert [*asked.scores] == sorted(asked.scores, reverse=True)
    assert max(asked.scores) <= 0


@pytest.mark.parametrize("exact", [0, 500])
def test_the_order_of_the_pool_does_not_matter(exact: int) -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(3), 20)
    probs[10:] = probs[:10]  # and which of equal ones is drawn by id
    shuffled = np.random.default_rng(2).permutation(20).tolist()
    one = ask(view_of(probs, [0, 0]), 5, exact=exact)
    assert ask(view_of(probs, [0, 0], shuffled), 5, exact=exact) == one


@pytest.mark.parametrize("exact", [0, 500])
def test_degenerate_pools(exact: int) -> None:
    assert ask(view_of([(0.5, 0.5)]), 1, exact=exact).ids == ("000",)
    alike = ask(view_of([(0.3, 0.7)] * 8, [0]), 5, exact=exact)
    assert len({*alike.ids}) == 5
    assert len({*ask(view_of(WORKED), 4, exact=exact).ids}) == 4
    sure = ask(view_of([(1, 0), (0, 1), (1, 0), (0, 1)]), 2, exact=exact, balance=1.0)
    assert {row % 2 for row in rows_of(sure)} == {0, 1}


@pytest.mark.parametrize("name", ["class_balanced:bald", "class_balanced:epig", "softmax:mase"])
def test_in_the_loop(name: str) -> None:
    plan = Plan(rounds=2, query_size=4, initial_size=20, candidates=50, steps=3, batch_size=6)
    active = ActiveLearner(small_learner("plain"), create(name), load_dataset("digits"), plan=plan)
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [20, 24, 28]
    assert ("imbalance" in records[1]["facts"]) == name.startswith("class_balanced")
    assert active.scorer.score_traces <= 2


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PoolError, match="only 4 candidates"):
        ask(view_of(WORKED), 5)
    with pytest.raises(ScoreError, match="'001'"):
        ask(view_of([WORKED[0], (np.nan, 0.5), *WORKED[2:]]), 2)
    with pytest.raises(ConfigError, match=r"of its own, and got Random; possible: .*mcdal, .*vaal"):
        create("class_balanced:random")
    assert create("class_balanced:bald") == ClassBalanced(BALD())
    assert create("class_balanced:bald").needs == (MCDropout,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"balance": -0.1}, r"class_balanced\.balance is -0\.1; it must be 0 or more"),
        ({"balance": float("nan")}, r"class_balanced\.balance is nan; it must be 0 or more"),
        ({"scale": "x"}, r"class_balanced\.scale is 'x'; choose from range, none"),
        ({"exact": -1}, r"class_balanced\.exact is -1; it must be 0 or more"),
    ],
)
def test_options_are_checked(options: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ClassBalanced(BALD(), **options)
