"""TypiClust: the worked example of methods 2.18, a slow reference, and no label at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bgadl_tf.acquisition import typiclust
from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.typiclust import TypiClust, typicality
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.pool_view import GivenEvidence, GivenView

WORKED = np.array([(0, 0), (0, 1), (1, 0), (5, 5), (5, 6), (9, 0)], np.float32)
TYPICAL = [1, 0.828427, 0.828427, 0.270156, 0.247799, 0.146905]

Vectors = NDArray[np.floating[Any]]


def ids_of(count: int) -> list[Id]:
    return [f"x{row:04}" for row in range(count)]


def view_of(
    vectors: Vectors, labelled: Mapping[int, Label] | None = None, order: Sequence[int] = ()
) -> GivenView:
    evidence = GivenEvidence.of_tables(
        np.full((1, len(vectors), 2), np.log(0.5), np.float32), vectors.astype(np.float32)
    )
    ids, labelled = ids_of(len(vectors)), labelled or {}
    rows = [row for row in order or range(len(vectors)) if row not in labelled]
    labels = {ids[row]: label for row, label in labelled.items()}
    return GivenView(evidence, ids, rows, labels=labels, round=1 if labelled else 0)


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    acquisition = TypiClust(**{"metric": "euclidean", **options})
    return acquisition.query(view, size, np.random.default_rng(seed))


def rows_of(query: Query) -> list[int]:
    return [int(id_[1:]) for id_ in query.ids]


def test_the_worked_example() -> None:
    np.testing.assert_allclose(typicality(WORKED, 2), TYPICAL, atol=1e-6)
    query = ask(view_of(WORKED), 6, clusters=1, neighbours=2)
    assert rows_of(query) == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(query.scores, TYPICAL, atol=1e-6)
    assert query.facts == {"clusters": 1}


@pytest.mark.parametrize("count", [2, 5, 21, 60])
def test_typicality_as_all_distances_at_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    distances = np.linalg.norm(vectors[:, None].astype(float) - vectors, axis=2)
    nearest = np.sort(distances, axis=1)[:, 1:21]
    monkeypatch.setattr("bgadl_tf.acquisition.kmeans.BLOCK_VALUES", 7 * count)
    np.testing.assert_allclose(typicality(vectors, 20), 1 / nearest.mean(axis=1), rtol=1e-9)


def blobs(sizes: Sequence[int], spread: float = 0.5) -> tuple[Vectors, NDArray[np.int64]]:
    """Groups far apart along a circle, of given sizes, and to which each vector belongs."""
    angles = 2 * np.pi * np.arange(len(sizes)) / len(sizes)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = 50 * np.stack([np.cos(angles), np.sin(angles)], 1)
    return centres[truth] + np.random.default_rng(0).normal(0, spread, (len(truth), 2)), truth


def test_without_a_label_one_typical_example_of_every_group() -> None:
    vectors, truth = blobs([30, 20, 25, 15])
    for seed in range(10):
        rows = rows_of(ask(view_of(vectors), 4, seed))
        assert sorted(truth[rows]) == [0, 1, 2, 3]
        for row in rows:
            own = np.flatnonzero(truth == truth[row])
            assert row == own[typicality(vectors[own].astype(np.float32), 20).argmax()]


def test_groups_that_hold_a_label_come_last() -> None:
    vectors, truth = blobs([30, 20, 25, 15])
    labelled = {0: 0, 55: 2}  # of the groups 0 and 2, the largest
    rows = rows_of(ask(view_of(vectors, labelled), 2, clusters=4))
    assert sorted(truth[rows]) == [1, 3]
    rows = rows_of(ask(view_of(vectors, labelled), 4, clusters=4))
    assert sorted(truth[rows]) == [0, 1, 2, 3]


def test_larger_groups_come_first() -> None:
    vectors, truth = blobs([30, 20, 25, 15])
    # Four labels far away, so that there is one group for each whatever is asked for.
    everything = np.concatenate([vectors, [(1e3, 0)] * 4])
    view = view_of(everything, dict.fromkeys(range(90, 94), 0))
    for size, chosen in ((1, [0]), (2, [0, 2]), (3, [0, 1, 2])):
        assert sorted(truth[rows_of(ask(view, size, clusters=5))]) == chosen


def test_small_groups_are_left_out_while_there_are_others() -> None:
    vectors, truth = blobs([30, 20, 4])
    rows = rows_of(ask(view_of(vectors), 3))
    assert sorted(truth[rows])[:2] == [0, 0]
    assert 2 not in truth[rows]
    assert sorted(truth[rows_of(ask(view_of(vectors), 3, smallest=4))]) == [0, 1, 2]
    assert sorted(rows_of(ask(view_of(vectors), 54))) == [*range(54)]


def test_labelled_examples_are_neighbours() -> None:
    # Without 0 and 2, example 1 would be the least typical of the left three.
    vectors = np.array([(0,), (1,), (2,), (6,), (7.5,)])
    query = ask(view_of(vectors, {0: 0, 2: 0}), 1, clusters=1, neighbours=2)
    assert rows_of(query) == [1]
    assert query.scores == pytest.approx((1.0,))


def test_the_order_of_the_pool_does_not_matter() -> None:
    vectors = np.random.default_rng(1).normal(size=(80, 5))
    first = ask(view_of(vectors, {3: 0, 4: 1}), 10)
    shuffled = np.random.default_rng(2).permutation(80).tolist()
    again = ask(view_of(vectors, {4: 1, 3: 0}, shuffled), 10)
    assert again == first


def test_what_is_labelled_is_never_asked_for_and_nothing_twice() -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 3))
    rows = rows_of(ask(view_of(vectors, dict.fromkeys(range(10), 0)), 30))
    assert sorted(rows) == [*range(10, 40)]


def test_large_groups_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typiclust, "MEMBERS", 7)
    vectors = np.random.default_rng(1).normal(size=(60, 3))
    assert sorted(rows_of(ask(view_of(vectors), 60))) == [*range(60)]
    assert ask(view_of(vectors), 5) == ask(view_of(vectors), 5)


def test_duplicates_and_constant_features_have_finite_scores() -> None:
    query = ask(view_of(np.full((30, 3), 0.1)), 30)
    assert sorted(rows_of(query)) == [*range(30)]
    assert np.isfinite(query.scores).all()
    query = ask(view_of(np.repeat([(0.0, 1.0), (5.0, 2.0)], 15, axis=0)), 2)
    assert {row // 15 for row in rows_of(query)} == {0, 1}


def test_a_pool_of_one() -> None:
    assert ask(view_of(np.ones((1, 3))), 1) == Query(("x0000",), (0.0,), facts={"clusters": 1})
    query = ask(view_of(WORKED, dict.fromkeys(range(5), 0)), 1)
    assert rows_of(query) == [5]


def test_vectors_as_they_are_or_of_length_one() -> None:
    # By length there are two groups, by direction two others.
    vectors = np.array([(1, 0), (9, 0), (1.1, 0), (9.1, 0), (0, 1), (0, 9), (0, 1.1), (0, 9.1)])
    by_direction = rows_of(ask(view_of(vectors), 2, metric="cosine", smallest=1))
    assert {row // 4 for row in by_direction} == {0, 1}


def test_what_is_not_finite_is_named() -> None:
    vectors = WORKED.copy()
    vectors[3, 1] = np.nan
    with pytest.raises(ScoreError, match="1 examples are not finite, the first those of 'x0003'"):
        ask(view_of(vectors), 2)


def test_more_than_there_are() -> None:
    with pytest.raises(PoolError, match="only 4 candidates"):
        ask(view_of(WORKED, {0: 0, 1: 0}), 5)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("metric", "x", r"typiclust\.metric is 'x'; choose from euclidean, cosine"),
        ("layer", "x", r"typiclust\.layer is 'x'; choose from inputs, features, penultimate"),
        ("clusters", 0, r"typiclust\.clusters is 0; it must be at least 1"),
        ("neighbours", 0, r"typiclust\.neighbours is 0; it must be at least 1"),
        ("smallest", 0, r"typiclust\.smallest is 0; it must be at least 1"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("typiclust", lambda name, owner: {option: value})


@pytest.mark.parametrize("shape", [(8, 8, 1), (6,)])
def test_in_the_loop_from_the_initial_set_on(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (90, *shape)).astype(np.uint8 if len(shape) > 1 else np.float32)
    labels = (np.arange(90) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    kind = LEARNERS.get("plain")
    classifier = CLASSIFIERS.get("lenet" if len(shape) > 1 else "mlp")(shape, 3)
    plan = Plan(rounds=1, query_size=4, initial_size=6, candidates=50, steps=2, batch_size=6)
    active = ActiveLearner(
        kind.create(classifier, kind.options_type()), TypiClust(), dataset, plan=plan
    )
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [6, 10]
    assert [record["facts"]["clusters"] for record in records] == [6, 10]
    assert active.scorer.score_traces == 1
