"""ProbCover: the worked example of methods 2.19, a slow reference, and no label at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.acquisition import kmeans, probcover
from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.balls import neighbours
from bgadl_tf.acquisition.probcover import ProbCover, pure_radius
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.pool_view import GivenEvidence, GivenView

WORKED = np.array([(0, 0), (0, 1), (1, 0), (5, 5), (5, 6), (9, 0)], np.float32)

Vectors = NDArray[np.floating[Any]]


def ids_of(count: int) -> list[Id]:
    return [f"x{row:04}" for row in range(count)]


def view_of(
    vectors: Vectors,
    labelled: Mapping[int, Label] | None = None,
    order: Sequence[int] = (),
    classes: int = 2,
) -> GivenView:
    passes = np.full((1, len(vectors), classes), -np.log(classes), np.float32)
    evidence = GivenEvidence.of_tables(passes, vectors.astype(np.float32))
    ids, labelled = ids_of(len(vectors)), labelled or {}
    rows = [row for row in order or range(len(vectors)) if row not in labelled]
    labels = {ids[row]: label for row, label in labelled.items()}
    return GivenView(evidence, ids, rows, labels=labels, round=1 if labelled else 0)


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    acquisition = ProbCover(**{"metric": "euclidean", **options})
    return acquisition.query(view, size, np.random.default_rng(seed))


def rows_of(query: Query) -> list[int]:
    return [int(id_[1:]) for id_ in query.ids]


def test_the_worked_example() -> None:
    rows = np.arange(6)
    assert neighbours(WORKED, rows, rows, 1.1).tolist() == [3, 2, 2, 2, 2, 1]
    query = ask(view_of(WORKED), 3, delta=1.1)
    assert rows_of(query) == [0, 3, 5]
    assert query.scores == (3, 2, 1)
    assert query.facts == {"delta": 1.1, "coverage": 1}


def test_the_radius_is_inclusive() -> None:
    assert rows_of(ask(view_of(WORKED), 3, delta=1.0)) == [0, 3, 5]
    assert ask(view_of(WORKED), 1, delta=0.999).scores == (1,)


def slow(
    vectors: Vectors, labelled: Sequence[int], delta: float, size: int
) -> tuple[list[int], list[int]]:
    """The whole graph, as a matrix."""
    graph = np.linalg.norm(vectors[:, None] - vectors, axis=2) <= delta
    for row in labelled:
        graph[:, graph[row]] = False
    picks: list[int] = []
    gains: list[int] = []
    for _ in range(size):
        degrees = graph.sum(axis=1)
        degrees[[*picks, *labelled]] = -1
        picks.append(int(degrees.argmax()))
        gains.append(int(degrees.max()))
        graph[:, graph[picks[-1]]] = False
    return picks, gains


@pytest.mark.parametrize("block", [2**22, 100])
@pytest.mark.parametrize("labelled", [[], [3, 17, 40]])
def test_as_the_whole_graph(
    block: int, labelled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kmeans, "BLOCK_VALUES", block)
    vectors = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
    picks, gains = slow(vectors.astype(float), labelled, 0.35, 15)
    assert gains[-1] > 0
    query = ask(view_of(vectors, dict.fromkeys(labelled, 0)), 15, delta=0.35)
    assert rows_of(query) == picks
    assert list(query.scores) == gains


def test_what_labels_cover_counts_no_longer() -> None:
    query = ask(view_of(WORKED, {1: 0}), 3, delta=1.1)
    # 1 covers 0 and itself; 2 is left, which 0 and 2 both cover.
    assert rows_of(query) == [3, 0, 5]
    assert query.scores == (2, 1, 1)


def test_once_everything_is_covered_the_rest_is_drawn() -> None:
    seen = set()
    for seed in range(20):
        query = ask(view_of(WORKED), 4, seed, delta=1.1)
        assert rows_of(query)[:3] == [0, 3, 5]
        assert query.scores == (3, 2, 1, 0)
        seen.add(rows_of(query)[3])
    assert seen == {1, 2, 4}
    assert sorted(rows_of(ask(view_of(WORKED), 6, delta=1.1))) == [*range(6)]


def slow_radius(vectors: Vectors, groups: NDArray[np.int64], purity: float) -> float:
    """The largest of all distances at which enough balls are pure."""
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    other = groups[:, None] != groups
    return max(
        float(delta)
        for delta in np.unique(distances)
        if np.mean([not (other[row] & (distances[row] <= delta)).any() for row in
                    range(len(vectors))]) >= purity
    )  # fmt: skip


@pytest.mark.parametrize("purity", [1.0, 0.95, 0.9, 0.5])
def test_the_radius_of_pure_balls(purity: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 2))
    groups = (vectors[:, 0] > 0).astype(np.int64)
    rng = np.random.default_rng(0)
    found = pure_radius(vectors.astype(np.float32), groups, purity, rng)
    other = groups[:, None] != groups
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)

    def pure(delta: float) -> float:
        return 1 - float((other & (distances <= delta)).any(axis=1).mean())

    assert found >= slow_radius(vectors, groups, purity) - 1e-5
    assert pure(found) >= purity - 1e-9
    assert pure(found * 1.00001) < purity


def test_the_radius_is_found_from_some_balls(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(900, 2)).astype(np.float32)
    groups = (vectors[:, 0] > 0).astype(np.int64)
    every = pure_radius(vectors, groups, 0.8, np.random.default_rng(0))
    monkeypatch.setattr(probcover, "BALLS", 300)
    some = pure_radius(vectors, groups, 0.8, np.random.default_rng(0))
    assert some == pytest.approx(every, rel=0.4)
    assert some != every


def test_without_a_label_one_example_of_every_class() -> None:
    angles = 2 * np.pi * np.arange(80) / 4
    centres = 50 * np.stack([np.cos(angles), np.sin(angles)], 1)
    vectors = centres + np.random.default_rng(0).normal(size=(80, 2))
    for seed in range(5):
        query = ask(view_of(vectors, classes=4), 4, seed, purity=1.0)
        assert {row % 4 for row in rows_of(query)} == {0, 1, 2, 3}
        assert query.facts["coverage"] == 1


def test_the_order_of_the_pool_does_not_matter() -> None:
    # Vectors on a grid, so that there are many ties.
    vectors = np.random.default_rng(1).integers(0, 5, (80, 2)).astype(float)
    first = ask(view_of(vectors, {3: 0, 4: 1}), 40, delta=1.0)
    shuffled = np.random.default_rng(2).permutation(80).tolist()
    again = ask(view_of(vectors, {4: 1, 3: 0}, shuffled), 40, delta=1.0)
    assert again == first
    assert ask(view_of(vectors, {3: 0, 4: 1}), 40) == ask(
        view_of(vectors, {4: 1, 3: 0}, shuffled), 40
    )


def test_far_from_the_origin_neighbours_are_the_same() -> None:
    assert ask(view_of(WORKED + 1e4), 3, delta=1.1).ids == ask(view_of(WORKED), 3, delta=1.1).ids


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_constant_features_are_covered_by_one(value: float, metric: str) -> None:
    query = ask(view_of(np.full((20, 3), value)), 20, metric=metric)
    assert query.scores == (20, *[0] * 19)
    assert len({*query.ids}) == 20
    assert query.facts == {"delta": 0, "coverage": 1}


def test_duplicates_are_asked_for_once() -> None:
    query = ask(view_of(np.repeat(WORKED, 3, axis=0)), 3, delta=1.1)
    assert [row // 3 for row in rows_of(query)] == [0, 3, 5]
    assert query.scores == (9, 6, 3)


def test_a_pool_of_one() -> None:
    assert ask(view_of(np.ones((1, 3))), 1).scores == (1,)
    assert rows_of(ask(view_of(WORKED, dict.fromkeys(range(5), 0)), 1)) == [5]
    assert rows_of(ask(view_of(WORKED, dict.fromkeys(range(5), 0)), 1, delta=99.0)) == [5]


def test_vectors_of_length_one() -> None:
    vectors = np.array([(1, 0), (9, 0), (20, 0), (0, 1), (0, 7)])
    query = ask(view_of(vectors), 2, metric="cosine", delta=0.1)
    assert query.scores == (3, 2)


def test_what_is_not_finite_is_named() -> None:
    vectors = WORKED.copy()
    vectors[3, 1] = np.inf
    with pytest.raises(ScoreError, match="1 examples are not finite, the first those of 'x0003'"):
        ask(view_of(vectors), 2)


def test_more_than_there_are() -> None:
    with pytest.raises(PoolError, match="only 4 candidates"):
        ask(view_of(WORKED, {0: 0, 1: 0}), 5)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("metric", "x", r"probcover\.metric is 'x'; choose from euclidean, cosine"),
        ("layer", "x", r"probcover\.layer is 'x'; choose from inputs, features, penultimate"),
        ("delta", -1.0, r"probcover\.delta is -1\.0; it must be 0 or more"),
        ("delta", float("nan"), r"probcover\.delta is nan; it must be 0 or more"),
        ("purity", 0.0, r"probcover\.purity is 0\.0; it must be in \(0, 1\]"),
        ("purity", 1.5, r"probcover\.purity is 1\.5; it must be in \(0, 1\]"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("probcover", lambda name, owner: {option: value})


def test_in_the_loop_from_the_initial_set_on() -> None:
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (90, 8, 8, 1), dtype=np.uint8)
    labels = (np.arange(90) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    kind = LEARNERS.get("plain")
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), 3)
    plan = Plan(rounds=1, query_size=4, initial_size=6, candidates=50, steps=2, batch_size=6)
    active = ActiveLearner(
        kind.create(classifier, kind.options_type()), ProbCover(), dataset, plan=plan
    )
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [6, 10]
    assert all(record["facts"]["delta"] > 0 for record in records)
    assert active.scorer.score_traces == 1
