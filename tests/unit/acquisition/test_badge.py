"""k-means++ seeding of gradients: the worked example, gradients in full, and degenerate pools."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy import stats

from bgadl_tf.acquisition import cover
from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.badge import BADGE, Gradients, drawn
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner
from tests.support.pool_view import GivenEvidence, GivenView

PROBS = [(0.7, 0.2, 0.1), (0.4, 0.5, 0.1), (0.98, 0.01, 0.01)]
INPUTS = [(1, 0), (0, 2), (3, 1)]


def view_of(probs: Any, inputs: Any, rows: Sequence[int] | None = None) -> GivenView:
    probs = np.array(probs, np.float32)
    with np.errstate(divide="ignore"):
        passes = np.log(probs)[np.newaxis]
    evidence = GivenEvidence.of_tables(passes, np.array(inputs, np.float32))
    ids = [f"{row:04}" for row in range(len(probs))]
    return GivenView(evidence, ids, range(len(probs)) if rows is None else rows, at_once=4)


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    return BADGE(**options).query(view, size, np.random.default_rng(seed))


def some(count: int, classes: int = 3, width: int = 4) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.full(classes, 0.3), count).clip(1e-6)
    return probs / probs.sum(1, keepdims=True), rng.normal(size=(count, width))


def gradients_of(probs: Any, inputs: Any) -> NDArray[np.float64]:
    """In full, ``[N, C F]``."""
    probs = np.array(probs)
    residuals = probs - np.eye(probs.shape[1])[probs.argmax(1)]
    return np.stack([
        np.outer(one, other).ravel() for one, other in zip(residuals, inputs, strict=True)
    ])  # fmt: skip


def factors_of(probs: Any, inputs: Any) -> Gradients:
    probs, inputs = np.array(probs), np.array(inputs)
    residuals = probs - np.eye(probs.shape[1])[probs.argmax(1)]
    return Gradients(np.hstack([residuals, inputs]).astype(np.float32), probs.shape[1])


def test_the_worked_example() -> None:
    gradients = factors_of(PROBS, INPUTS)
    np.testing.assert_allclose(gradients.squares(), [0.14, 1.68, 0.006], rtol=1e-5)
    np.testing.assert_allclose(gradients.distances(0), [0, 1.82, 0.092], rtol=1e-5)
    np.testing.assert_allclose(gradients.distances(2), [0.092, 1.734, 0], rtol=1e-5)
    query = ask(view_of(PROBS, INPUTS), 1)
    assert query.ids == ("0001",)
    assert query.scores == pytest.approx([np.sqrt(1.68)], rel=1e-5)
    # Of the other two in proportion to 1.82 and 1.734.
    seconds = Counter("0000" in ask(view_of(PROBS, INPUTS), 2, seed).ids for seed in range(1000))
    low, high = stats.binom.interval(1 - 1e-6, 1000, 1.82 / 3.554)
    assert low <= seconds[True] <= high


@pytest.mark.parametrize("block", [2**22, 30])
def test_distances_are_those_of_gradients_in_full(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cover, "BLOCK_VALUES", block)
    probs, inputs = some(40)
    full, gradients = gradients_of(probs, inputs), factors_of(probs, inputs)
    np.testing.assert_allclose(gradients.squares(), np.square(full).sum(1), rtol=1e-4)
    for row in (0, 17, 39):
        expected = np.square(full - full[row]).sum(1)
        np.testing.assert_allclose(gradients.distances(row), expected, rtol=1e-4, atol=1e-9)
        assert gradients.distances(row)[row] == 0.0


@pytest.mark.parametrize("first", ["norm", "draw"])
@pytest.mark.parametrize("size", [1, 2, 9, 40])
def test_as_slow_seeding_of_gradients_in_full(first: str, size: int) -> None:
    probs, inputs = some(40)
    full = gradients_of(probs, inputs)
    rng = np.random.default_rng(5)
    lengths = np.square(full).sum(1)
    picks = [int(lengths.argmax()) if first == "norm" else int(rng.integers(40))]
    while len(picks) < size:
        nearest = np.square(full[:, None] - full[picks]).sum(2).min(1)
        nearest[picks] = 0
        picks.append(drawn(nearest, rng))
    query = ask(view_of(probs, inputs), size, 5, first=first)
    assert {int(id_) for id_ in query.ids} == {*picks}
    np.testing.assert_allclose(query.scores, np.sqrt(-np.sort(-lengths[picks])), rtol=1e-4)


def test_features_in_a_file_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    probs, inputs = some(40)
    in_memory = ask(view_of(probs, inputs), 9)
    monkeypatch.setattr(cover, "IN_MEMORY", 100)
    assert ask(view_of(probs, inputs), 9) == in_memory


def test_gradients_are_never_made() -> None:
    # The released code holds [N, C F]: 128 MB here, where the factors are 0.7 MB.
    probs, inputs = some(400, 200, 200)
    view = view_of(probs, inputs)
    tracemalloc.start()
    ask(view, 10)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20e6


def test_the_order_of_the_pool_does_not_matter() -> None:
    probs, inputs = some(30)
    shuffled = np.random.default_rng(1).permutation(30).tolist()
    for first in ("norm", "draw"):
        for seed in range(5):
            one = ask(view_of(probs, inputs), 6, seed, first=first)
            assert ask(view_of(probs, inputs, shuffled), 6, seed, first=first) == one


def test_a_duplicate_of_what_is_chosen_is_not() -> None:
    # Of two different examples, each twenty times, two are asked for.
    probs, inputs = [PROBS[0], PROBS[1]] * 20, [INPUTS[0], INPUTS[1]] * 20
    for seed in range(20):
        ids = ask(view_of(probs, inputs), 2, seed, first="draw").ids
        assert {int(id_) % 2 for id_ in ids} == {0, 1}


@pytest.mark.parametrize("probs", [PROBS[:1] * 6, [(1 - 2e-30, 1e-30, 1e-30)] * 6])
def test_duplicates_alone_are_chosen_once_each(probs: Any) -> None:
    view = view_of(probs, INPUTS[2:] * 6)
    for size in (1, 4, 6):
        assert len({*ask(view, size).ids}) == size
    assert len({ask(view, 3, seed, first="draw").ids for seed in range(20)}) > 5


def test_no_features_and_a_pool_of_one() -> None:
    assert len({*ask(view_of(PROBS, np.zeros((3, 2))), 3).ids}) == 3
    assert ask(view_of(PROBS[:1], INPUTS[:1]), 1).ids == ("0000",)


def test_what_is_nearly_sure_keeps_its_digits() -> None:
    # 1 - 1e-9 is 1 in float32; the gradient's length is not 0.
    probs = [(1 - 2e-9, 1e-9, 1e-9), (1 - 2e-12, 1e-12, 1e-12)]
    query = ask(view_of(probs, [(1, 0), (1, 0)]), 2)
    np.testing.assert_allclose(query.scores, np.sqrt(6) * np.array([1e-9, 1e-12]), rtol=1e-5)


def test_probabilities_of_0_and_1() -> None:
    query = ask(view_of([(1, 0, 0), (0, 1, 0), (0.5, 0.5, 0)], INPUTS), 3)
    assert query.ids[0] == "0002"
    assert query.scores[1:] == (0, 0)


def test_what_is_drawn_has_weight() -> None:
    rng = np.random.default_rng(0)
    counts = Counter(drawn(np.array([0.0, 1.0, 0.0, 3.0, 0.0]), rng) for _ in range(1000))
    assert {*counts} == {1, 3}
    assert 650 < counts[3] < 850

    class Last:
        def random(self) -> float:
            return float(np.nextafter(1.0, 0.0))

    last: Any = Last()
    assert drawn(np.array([1e-300, 1.0, 0.0]), last) == 1


@pytest.mark.parametrize("first", ["norm", "draw"])
def test_in_the_loop_with_a_deterministic_classifier(first: str) -> None:
    plan = Plan(rounds=2, query_size=4, initial_size=20, candidates=50, steps=3, batch_size=6)
    learner = small_learner("plain", dropout=0.0)
    active = ActiveLearner(learner, BADGE(first), load_dataset("digits"), plan=plan)
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [20, 24, 28]
    assert active.scorer.score_traces == 1
    # Scores are lengths of the gradients that automatic differentiation gives.
    asked = active.ask()
    classifier = active.learner.classifier
    images = tf.constant(active.dataset.train.examples_of(asked.ids), tf.float32) / 255.0
    for row, score in enumerate(asked.scores):
        with tf.GradientTape() as tape:
            log_probs = classifier(images[row : row + 1])
            loss = -tf.reduce_max(log_probs)
        gradient = tape.gradient(loss, classifier.head.stages[-1].kernel.value)
        assert score == pytest.approx(float(tf.norm(gradient)), rel=1e-3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PoolError, match="only 3 candidates"):
        ask(view_of(PROBS, INPUTS), 4)
    with pytest.raises(ScoreError, match="first those of '0001'"):
        ask(view_of(PROBS, [(1, 0), (np.nan, 1), (0, 1)]), 1)
    with pytest.raises(ScoreError, match="first those of '0002'"):
        ask(view_of([*PROBS[:2], (np.nan, 0.1, 0.1)], INPUTS), 1)
    with pytest.raises(ConfigError, match=r"badge\.first is 'x'; choose from norm, draw"):
        create("badge", lambda name, owner: {"first": "x"})
