"""Choosing the highest scores."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, check_needs
from bgadl_tf.acquisition.query import TopScores, by_lot, top
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models.classifiers.base import CLASSIFIERS


def test_the_highest_first_and_ties_by_id() -> None:
    query = top(["a", "c", "b", "d"], np.array([1.0, 3.0, 3.0, 2.0]), 3)
    assert query.ids == ("b", "c", "d")
    assert query.scores == (3.0, 3.0, 2.0)


@pytest.mark.parametrize("size", [1, 3, 12])
def test_which_of_equal_scores_are_taken_does_not_depend_on_where_they_stand(size: int) -> None:
    ids, scores = [f"{row:02}" for row in range(12)], np.float32([1, 0, 1] * 4)
    found = []
    for order in (range(12), np.random.default_rng(1).permutation(12).tolist()):
        best = TopScores([ids[row] for row in order], size, by_lot(np.random.default_rng(5)))
        for row in order:
            best.add(scores[[row]])
        found.append(best.query())
    assert found[0] == found[1]
    assert found[0].scores == tuple(sorted(scores.tolist(), reverse=True)[:size])


def test_what_nothing_equals_needs_no_key() -> None:
    def key(id_: str) -> object:
        raise AssertionError(id_)

    best = TopScores(["a", "b", "c", "d"], 1, key)
    for score in (2.0, 4.0, 3.0, 1.0):
        best.add(np.float32([score]))
    assert best.query().ids == ("b",)


def test_of_equal_scores_each_is_as_likely() -> None:
    ids, scores = [f"{row}" for row in range(8)], np.float32([1, 0, 1, 1, 0, 1, 0, 0])
    taken = Counter[str]()
    for seed in range(800):
        best = TopScores(ids, 1, by_lot(np.random.default_rng(seed)))
        best.add(scores)
        taken.update(best.query().ids)
    assert {*taken} == {*"0235"}
    low, high = stats.binom.interval(1 - 1e-6, 800, 1 / 4)
    assert all(low <= count <= high for count in taken.values())


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(PoolError, match="only 1 candidates are left"):
        top(["a"], np.zeros(1), 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_never_bought(bad: float) -> None:
    with pytest.raises(ScoreError, match="'b'"):
        top(["a", "b"], np.array([0.0, bad]), 1)


@pytest.mark.parametrize("size", [1, 3, 10, 60])
@pytest.mark.parametrize("part", [1, 7, 60])
def test_scores_may_come_in_parts(size: int, part: int) -> None:
    # Few values, so that there are ties everywhere.
    scores = np.random.default_rng(size).integers(0, 6, 60).astype(np.float32)
    ids = [f"{row:02}" for row in range(60)]
    best = TopScores(ids, size)
    for start in range(0, 60, part):
        best.add(scores[start : start + part])
    expected = sorted(range(60), key=lambda row: (-scores[row], row))[:size]
    assert best.query().ids == tuple(ids[row] for row in expected)
    assert best.query().scores == tuple(scores[expected].tolist())


def test_little_more_than_the_highest_scores_is_kept() -> None:
    best = TopScores(range(10_000), 10)  # type: ignore[arg-type]
    for _ in range(100):
        best.add(np.random.default_rng(0).random(100))
        assert sum(len(part) for part in best._scores) < 20


def test_bad_scores_are_counted_over_all_parts() -> None:
    best = TopScores(["a", "b", "c", "d"], 1)
    for part in ([0.0, np.nan], [np.inf, 5.0]):
        best.add(np.array(part))
    with pytest.raises(ScoreError, match="2 of 4 scores are not finite, the first that of 'b'"):
        best.query()


def test_an_impossible_pair_names_the_possible_ones() -> None:
    bald, random = (ACQUISITIONS.get(name)() for name in ("bald", "random"))
    learner = Plain(CLASSIFIERS.get("mlp")((3,), 2, dropout=0.0))
    with pytest.raises(ConfigError, match=r"'bald' needs MCDropout.*Plain.*possible: .*random"):
        check_needs("bald", bald, learner)
    check_needs("random", random, learner)
    check_needs("bald", bald, Plain(CLASSIFIERS.get("mlp")((3,), 2)))
