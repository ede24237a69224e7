"""BatchBALD: the worked example, joint entropies by enumeration, and draws of configurations."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.acquisition import joint
from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.batchbald import BatchBALD
from bgadl_tf.acquisition.joint import JointLabels, drawn
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner
from tests.support.pool_view import GivenEvidence, GivenView

# P(class 0) in four passes.
D, E, F = (0.9, 0.9, 0.1, 0.1), (0.9, 0.1, 0.9, 0.1), (0.85, 0.15, 0.85, 0.15)

ALL = 10**6


def binary(first: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Probabilities ``[K, n, 2]``."""
    probs = np.array(first).T
    return np.stack([probs, 1 - probs], axis=2)


def some(count: int, classes: int = 3, passes: int = 5, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, 0.4), (passes, count))


def view_of(
    probs: NDArray[np.float64], ids: Sequence[str], rows: Sequence[int] | None = None
) -> GivenView:
    with np.errstate(divide="ignore"):
        passes = np.log(probs).astype(np.float32)
    evidence = GivenEvidence.of_tables(passes, np.zeros((len(ids), 1), np.float32))
    return GivenView(evidence, ids, range(len(ids)) if rows is None else rows, at_once=3)


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    return BatchBALD(**options).query(view, size, np.random.default_rng(seed))


def information(probs: NDArray[np.float64], batch: Sequence[int]) -> float:
    """I(y_A; w) by enumeration of every configuration."""
    total = 0.0
    for labels in itertools.product(range(probs.shape[2]), repeat=len(batch)):
        each = np.prod([probs[:, i, y] for i, y in zip(batch, labels, strict=True)], axis=0)
        joint_probability = each.mean()
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(each > 0, each * np.log(each), 0.0).mean()
        total += own - (joint_probability * np.log(joint_probability) if joint_probability else 0)
    return float(total)


def slow_greedy(probs: NDArray[np.float64], size: int) -> tuple[list[int], list[float]]:
    picks: list[int] = []
    found = [0.0]
    for _ in range(size):
        values = {
            row: information(probs, [*picks, row])
            for row in range(probs.shape[1])
            if row not in picks
        }
        picks.append(max(values, key=lambda row: round(values[row], 9)))
        found.append(values[picks[-1]])
    return picks, np.diff(found).tolist()


@pytest.mark.parametrize(
    ("batch", "expected"),
    [((D, D), 0.514375), ((D, E), 0.736128), ((D, F), 0.638502), ((F,), 0.270438)],
)
def test_the_worked_example(batch: Sequence[Sequence[float]], expected: float) -> None:
    labels = JointLabels(binary(batch), ALL)
    found = 0.0
    for row in range(len(batch)):
        found += labels.gains()[row]
        labels.add(row, np.random.default_rng(0))
    assert found == pytest.approx(expected, abs=1e-6)
    assert labels.information == pytest.approx(expected, abs=1e-6)
    assert information(binary(batch), range(len(batch))) == pytest.approx(expected, abs=1e-6)


def test_a_duplicate_is_not_asked_for() -> None:
    view = view_of(binary([D, D, E, F]), ["d", "d'", "e", "f"])
    bald = create("bald").query(view, 2, np.random.default_rng(0))
    assert {*bald.ids} <= {"d", "d'", "e"}
    query = ask(view, 2)
    # By BALD the three are equal, and e is the only one of its kind.
    assert "e" in query.ids
    assert len({*query.ids}) == 2
    assert query.scores == pytest.approx([0.368064] * 2, abs=1e-6)
    assert query.facts == {"joint_information": pytest.approx(0.736128, abs=1e-6)}


def test_of_one_it_is_bald() -> None:
    view = view_of(some(20), [*"abcdefghijklmnopqrst"])
    bald = create("bald").query(view, 1, np.random.default_rng(0))
    query = ask(view, 1)
    assert query.ids == bald.ids
    assert query.scores == pytest.approx(bald.scores, rel=1e-5)


@pytest.mark.parametrize("block", [2**20, 50])
@pytest.mark.parametrize("classes", [2, 3])
def test_as_greedy_enumeration(classes: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "BLOCK_VALUES", block)
    probs = some(9, classes)
    query = ask(view_of(probs, "abcdefghi"), 5, configurations=ALL)
    picks, added = slow_greedy(probs, 5)
    assert ["abcdefghi".index(id_) for id_ in query.ids] == picks
    np.testing.assert_allclose(query.scores, added, atol=1e-6)


def test_drawn_configurations_are_right_in_the_mean() -> None:
    probs, batch = some(8, passes=6), [3, 0, 5, 1, 7]
    exact = JointLabels(probs, ALL)
    for row in batch:
        exact.add(row, np.random.default_rng(0))
    assert exact.exact
    assert exact.count == 3**5
    estimates, informations = [], []
    for seed in range(200):
        rng, labels = np.random.default_rng(seed), JointLabels(probs, 20)
        for row in batch:
            labels.add(row, rng)
        assert not labels.exact
        assert labels.count == 20
        estimates.append(labels.gains())
        informations.append(labels.information)
    mean, error = np.mean(estimates, 0), np.std(estimates, 0) / np.sqrt(200)
    assert (np.abs(mean - exact.gains()) < 4 * error + 1e-9).all()
    assert (error < 0.01).all()
    spread = np.std(informations) / np.sqrt(200)
    assert abs(np.mean(informations) - exact.information) < 4 * spread < 0.05


def test_with_many_drawn_configurations_the_sum_is_the_joint_information() -> None:
    probs = some(7, passes=6)
    query = ask(view_of(probs, "abcdefg"), 7, configurations=2000)
    picks = ["abcdefg".index(id_) for id_ in query.ids]
    exact = information(probs, picks)
    assert query.facts["joint_information"] == pytest.approx(exact, abs=0.02)
    assert exact < np.log(6)


def test_a_few_configurations_do_for_one_that_is_certain() -> None:
    labels = JointLabels(some(4), 1)
    for row in (0, 1, 2):
        labels.add(row, np.random.default_rng(0))
        assert labels.count == 1
        assert np.isfinite(labels.gains()).all()


@pytest.mark.parametrize("configurations", [2, 1000])
def test_probabilities_of_0_and_1(configurations: int) -> None:
    probs = binary([(1, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 1), (0, 0, 0, 0), (0.5, 1, 0, 1)])
    query = ask(view_of(probs, "abcde"), 5, configurations=configurations)
    assert {*query.ids[:2]} == {"a", "b"}
    assert query.scores[:2] == pytest.approx([np.log(2)] * 2)
    # The two have told which of the four passes it is.
    assert query.scores[2:] == (0, 0, 0)


def test_what_tells_nothing_more_is_in_the_order_of_bald() -> None:
    probs = binary([(0.9, 0.1), (1, 0), (0.8, 0.2), (0.5, 0.5), (0.99, 0.01)])
    query = ask(view_of(probs, "abcde"), 5, configurations=3)
    assert query.ids == ("b", "e", "a", "c", "d")
    assert query.scores == (pytest.approx(np.log(2)), 0, 0, 0, 0)


def test_a_hundred_labels_underflow_nowhere() -> None:
    probs = some(120, classes=4, passes=20, seed=1)
    query = ask(view_of(probs, [f"{row:03}" for row in range(120)]), 110, configurations=1000)
    assert len({*query.ids}) == 110
    assert [*query.scores] == sorted(query.scores, reverse=True)
    assert min(query.scores) >= 0
    assert query.facts["joint_information"] == pytest.approx(np.log(20), abs=0.05)


def test_it_is_found_among_the_best_by_bald_alone() -> None:
    # e adds more than the second d, and is left out of the best two.
    view = view_of(binary([D, D, F]), ["d", "d'", "f"])
    assert {*ask(view, 2, candidates=2).ids} == {"d", "d'"}
    first, second = ask(view, 2, candidates=3).ids
    assert first in ("d", "d'")
    assert second == "f"
    assert {*ask(view, 3, candidates=1).ids} == {"d", "d'", "f"}


def test_the_order_of_the_pool_does_not_matter() -> None:
    probs, ids = some(30), [f"{row:02}" for row in range(30)]
    shuffled = np.random.default_rng(1).permutation(30).tolist()
    options = {"configurations": 20, "candidates": 15}
    first = ask(view_of(probs, ids), 8, 3, **options)
    assert ask(view_of(probs, ids, shuffled), 8, 3, **options) == first
    assert ask(view_of(probs, ids), 8, 3, **options) == first


def test_systematic_draws() -> None:
    weights = np.array([0.0, 0.1, 0.0, 0.25, 0.65, 0.0])
    rng = np.random.default_rng(0)
    total: Counter[int] = Counter()
    for _ in range(500):
        counts = Counter(drawn(weights, 10, rng).tolist())
        assert (counts[0], counts[2], counts[5]) == (0, 0, 0)
        assert all(abs(counts[place] - 10 * weights[place]) < 1 for place in range(6))
        total += counts
    found = [total[place] / 5000 for place in range(6)]
    np.testing.assert_allclose(found, weights, atol=0.01)


def test_a_pool_of_one_and_what_cannot_be() -> None:
    assert ask(view_of(some(1), "a"), 1).ids == ("a",)
    with pytest.raises(PoolError, match="only 3 candidates"):
        ask(view_of(some(3), "abc"), 4)
    broken = some(4)
    broken[2, 1, 0] = np.nan
    with pytest.raises(ScoreError, match="the first that of 'b'"):
        ask(view_of(broken, "abcd"), 2)


@pytest.mark.parametrize("option", ["candidates", "configurations"])
def test_options_must_be_positive(option: str) -> None:
    options: Mapping[str, Any] = {option: 0}
    with pytest.raises(ConfigError, match=rf"batchbald\.{option} is 0; it must be at least 1"):
        create("batchbald", lambda name, owner: options)


def test_in_the_loop_it_is_traced_once_a_look() -> None:
    plan = Plan(rounds=2, query_size=4, initial_size=20, candidates=50, steps=3, batch_size=6)
    learner = small_learner("plain")
    active = ActiveLearner(learner, BatchBALD(20, 30), load_dataset("digits"), plan=plan)
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [20, 24, 28]
    assert all(record["facts"]["joint_information"] > 0 for record in records[1:])
    assert active.scorer.score_traces == 2
