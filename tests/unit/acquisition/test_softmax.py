"""Batches drawn in proportion to exponentials of scores."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from bgadl_tf.acquisition.acquisition import ScoreAcquisition, create
from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.softmax import Softmax
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.learners.abilities import MCDropout
from tests.support.pool_view import GivenEvidence, GivenView

DRAWS = 2000
SCORES = (0.4, 0.2, 0.1, 0.0)


@dataclass(frozen=True)
class Given(ScoreAcquisition):
    """Scores that lie in the first feature."""

    may_be_negative = True

    def score(self, evidence: Evidence) -> tf.Tensor:
        return evidence.features[:, 0]


@functools.cache
def view_of(scores: tuple[float, ...], reverse: bool = False) -> GivenView:
    features = np.array(scores, np.float32)[:, np.newaxis]
    evidence = GivenEvidence.of_tables(np.full((1, len(scores), 2), np.log(0.5)), features)
    rows = range(len(scores))[:: -1 if reverse else 1]
    return GivenView(evidence, "abcdefgh"[: len(scores)], rows, at_once=3)


def query(
    scores: tuple[float, ...], size: int, seed: int, beta: float = 1.0, reverse: bool = False
) -> Query:
    view = view_of(scores, reverse)
    return Softmax(Given(), beta).query(view, size, np.random.default_rng(seed))


@pytest.mark.parametrize("beta", [1.0, 5.0])
@pytest.mark.parametrize("shift", [0.0, -0.5])
def test_the_first_pick_is_drawn_in_proportion(beta: float, shift: float) -> None:
    scores = tuple(score + shift for score in SCORES)
    picks = Counter(query(scores, 1, seed, beta).ids[0] for seed in range(DRAWS))
    weights = np.exp(beta * np.array(SCORES))
    for id_, probability in zip("abcd", weights / weights.sum(), strict=True):
        low, high = stats.binom.interval(1 - 1e-6, DRAWS, probability)
        assert low <= picks[id_] <= high, id_


def test_the_second_pick_is_drawn_in_proportion_to_what_is_left() -> None:
    pairs = Counter(query(SCORES, 2, seed, 5.0).ids for seed in range(DRAWS))
    a, b, c, d = np.exp(5.0 * np.array(SCORES))
    for pair, probability in (
        (("a", "b"), a / (a + b + c + d) * b / (b + c + d)),
        (("b", "a"), b / (a + b + c + d) * a / (a + c + d)),
    ):
        low, high = stats.binom.interval(1 - 1e-6, DRAWS, probability)
        assert low <= pairs[pair] <= high, pair


def test_what_scores_nothing_is_drawn_too() -> None:
    # Power alone never draws it while a positive score is left.
    assert any(query(SCORES, 1, seed).ids == ("d",) for seed in range(50))


def test_scores_of_the_query_are_those_of_the_acquisition_inside() -> None:
    asked = query(SCORES, 4, seed=0)
    found = dict(zip(asked.ids, asked.scores, strict=True))
    assert found == pytest.approx(dict(zip("abcd", SCORES, strict=True)))


def test_a_large_beta_takes_the_best() -> None:
    assert query((0.1, -0.4, 0.0, 0.2), 3, seed=0, beta=1e5).ids == ("d", "a", "c")


def test_the_order_of_the_pool_does_not_matter() -> None:
    for seed in range(10):
        assert query(SCORES, 2, seed) == query(SCORES, 2, seed, reverse=True)


def test_equal_scores_a_pool_of_one_and_an_exhausted_one() -> None:
    firsts = {query((0.3, 0.3, 0.3), 3, seed).ids[0] for seed in range(40)}
    assert firsts == {*"abc"}
    assert query((0.3,), 1, 0).ids == ("a",)
    with pytest.raises(PoolError, match="only 2 candidates"):
        query((0.4, 0.2), 3, 0)


def test_endless_scores_are_refused() -> None:
    with pytest.raises(ScoreError, match="'b'"):
        query((0.4, float("nan")), 1, 0)


def test_it_wraps_what_gives_scores() -> None:
    assert create("softmax:bald") == Softmax(BALD())
    assert create("softmax:bald").needs == (MCDropout,)
    assert not create("softmax:margin").chooses_initial_set
    with pytest.raises(ConfigError, match=r"of its own, and got Random; possible: .*mcdal, .*vaal"):
        create("softmax:random")


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan"), float("inf")])
def test_beta_must_be_positive(beta: float) -> None:
    with pytest.raises(ConfigError, match=r"softmax\.beta is .*; it must be positive and finite"):
        Softmax(BALD(), beta)
