"""Choosing the highest scores."""

from __future__ import annotations

import numpy as np
import pytest

from bgadl_tf.acquisition.base import check_abilities, top
from bgadl_tf.errors import ConfigError, PoolError, ScoreError


def test_the_highest_first_and_ties_in_pool_order() -> None:
    query = top(["a", "b", "c", "d"], np.array([1.0, 3.0, 3.0, 2.0]), 3)
    assert query.ids == ("b", "c", "d")
    assert query.scores == (3.0, 3.0, 2.0)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(PoolError, match="only 1 candidates are left"):
        top(["a"], np.zeros(1), 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_never_bought(bad: float) -> None:
    with pytest.raises(ScoreError, match="'b'"):
        top(["a", "b"], np.array([0.0, bad]), 1)


def test_an_impossible_pair_names_the_possible_ones() -> None:
    with pytest.raises(ConfigError, match=r"'bald' needs mc_dropout.*possible: .*random"):
        check_abilities("bald", frozenset(), "plain")
    check_abilities("random", frozenset(), "plain")
