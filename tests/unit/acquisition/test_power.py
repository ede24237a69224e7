"""Batches drawn in proportion to powers of scores: the worked example of methods 2.17."""

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
from bgadl_tf.acquisition.power import Power
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError, UnknownNameError
from bgadl_tf.learners.abilities import MCDropout
from tests.support.pool_view import GivenEvidence, GivenView

DRAWS = 2000


@dataclass(frozen=True)
class Given(ScoreAcquisition):
    """Scores that lie in the first feature."""

    def score(self, evidence: Evidence) -> tf.Tensor:
        return evidence.features[:, 0]


@functools.cache
def view_of(scores: tuple[float, ...]) -> GivenView:
    features = np.array(scores, np.float32)[:, np.newaxis]
    evidence = GivenEvidence.of_tables(np.full((1, len(scores), 2), np.log(0.5)), features)
    return GivenView(evidence, "abcdefgh"[: len(scores)], range(len(scores)), at_once=3)


def query(scores: list[float], size: int, seed: int, beta: float = 1.0) -> Query:
    view = view_of(tuple(scores))
    return Power(Given(), beta).query(view, size, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("beta", "expected"),
    [
        (1.0, {"a": 0.571429, "b": 0.285714, "c": 0.142857}),
        (2.0, {"a": 0.761905, "b": 0.190476, "c": 0.047619}),
    ],
)
def test_the_first_pick_is_drawn_in_proportion(beta: float, expected: dict[str, float]) -> None:
    picks = Counter(query([0.4, 0.2, 0.1, 0.0], 1, seed, beta).ids[0] for seed in range(DRAWS))
    assert set(picks) == set(expected)
    for id_, probability in expected.items():
        low, high = stats.binom.interval(1 - 1e-6, DRAWS, probability)
        assert low <= picks[id_] <= high, id_


def test_the_second_pick_is_drawn_in_proportion_to_what_is_left() -> None:
    pairs = Counter(query([0.4, 0.2, 0.1, 0.0], 2, seed).ids for seed in range(DRAWS))
    # P(a, b) = 4/7 * 2/3, P(b, a) = 2/7 * 4/5.
    for pair, probability in ((("a", "b"), 8 / 21), (("b", "a"), 8 / 35)):
        low, high = stats.binom.interval(1 - 1e-6, DRAWS, probability)
        assert low <= pairs[pair] <= high, pair


def test_what_scores_nothing_comes_last_in_random_order() -> None:
    asked = [query([0.0, 1e-30, 0.0, 0.3, 0.0], 5, seed).ids for seed in range(50)]
    assert all({*ids[:2]} == {"b", "d"} for ids in asked)
    assert len({ids[2:] for ids in asked}) > 2


@pytest.mark.parametrize("beta", [1e-6, 1e-3, 1e6, 1e100])
def test_what_scores_nothing_comes_last_whatever_the_power(beta: float) -> None:
    for seed in range(100):
        asked = query([0.0, 0.9, 1e-30, 0.0, 0.3, 0.0], 3, seed, beta)
        assert {*asked.ids} == {"b", "c", "e"}


def test_scores_of_the_query_are_those_of_the_acquisition_inside() -> None:
    asked = query([0.4, 0.2, 0.1, 0.0], 4, seed=0)
    found = dict(zip(asked.ids, asked.scores, strict=True))
    assert found == pytest.approx({"a": 0.4, "b": 0.2, "c": 0.1, "d": 0.0})


def test_a_large_power_takes_the_best() -> None:
    assert query([0.1, 0.4, 0.0, 0.2], 3, seed=0, beta=1e4).ids == ("b", "d", "a")


def test_negative_and_endless_scores_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"not negative, and Given gives -0\.2; wrap another"):
        query([0.4, -0.2], 1, 0)
    with pytest.raises(ScoreError, match="'b'"):
        query([0.4, np.nan], 1, 0)
    with pytest.raises(PoolError, match="only 2 candidates"):
        query([0.4, 0.2], 3, 0)


def test_it_needs_what_the_acquisition_inside_needs() -> None:
    assert create("power:bald") == Power(BALD())
    assert create("power:bald").needs == (MCDropout,)
    assert create("power:least_confidence").needs == ()
    assert not create("power:bald").chooses_initial_set


def test_names_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'power' wraps another: write power:NAME"):
        create("power")
    with pytest.raises(ConfigError, match=r"'power' wraps another: write power:NAME"):
        create("power:")
    with pytest.raises(ConfigError, match=r"'bald' wraps no other; got 'bald:margin'"):
        create("bald:margin")
    with pytest.raises(ConfigError, match=r"not negative, and got Random; possible: bald, .*tod"):
        create("power:random")
    for name, kind in {"margin": "Margin", "vaal": "VAAL"}.items():
        with pytest.raises(ConfigError, match=rf"not negative, and got {kind}; possible: bald, "):
            create(f"power:{name}")
    with pytest.raises(UnknownNameError, match=r"did you mean 'bald'"):
        create("power:bold")


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan")])
def test_the_power_must_be_positive(beta: float) -> None:
    with pytest.raises(ConfigError, match=r"power\.beta is .*; it must be positive"):
        Power(BALD(), beta)
