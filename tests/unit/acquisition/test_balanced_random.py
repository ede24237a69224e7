"""Random selection that is balanced by predicted class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bgadl_tf.acquisition.balanced_random import BalancedRandom
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import PoolError, ScoreError
from tests.support.pool_view import GivenEvidence, GivenView


def view_of(predicted: Sequence[int], classes: int = 3, **settings: Any) -> GivenView:
    probs = 0.1 + 0.7 * np.eye(classes, dtype=np.float32)[list(predicted)]
    evidence = GivenEvidence.of_tables(np.log(probs)[np.newaxis], probs)
    ids = [f"{row:03}" for row in range(len(predicted))]
    return GivenView(evidence, ids, settings.pop("rows", range(len(ids))), at_once=4, **settings)


def ask(view: GivenView, size: int, seed: int = 0) -> Query:
    return BalancedRandom().query(view, size, np.random.default_rng(seed))


def counts(query: Query, predicted: Sequence[int]) -> list[int]:
    found = Counter(predicted[int(id_)] for id_ in query.ids)
    return [found[number] for number in range(3)]


PREDICTED = [0] * 60 + [1] * 20 + [2] * 4


def test_every_predicted_class_gets_its_share() -> None:
    for seed in range(10):
        assert counts(ask(view_of(PREDICTED), 12, seed), PREDICTED) == [4, 4, 4]
        assert sorted(counts(ask(view_of(PREDICTED), 10, seed), PREDICTED)) == [3, 3, 4]


def test_what_a_class_lacks_the_others_give() -> None:
    assert counts(ask(view_of(PREDICTED), 24), PREDICTED) == [10, 10, 4]
    assert counts(ask(view_of(PREDICTED), 84), PREDICTED) == [60, 20, 4]
    assert counts(ask(view_of([0] * 9), 5), [0] * 9) == [5, 0, 0]


def test_one_more_goes_to_any_class() -> None:
    more = Counter(counts(ask(view_of(PREDICTED), 1, seed), PREDICTED).index(1)
                   for seed in range(300))  # fmt: skip
    assert min(more[number] for number in range(3)) > 60


def test_within_a_class_every_candidate_is_as_likely() -> None:
    asked = Counter(id_ for seed in range(400) for id_ in ask(view_of([0] * 8), 2, seed).ids)
    assert all(60 < asked[f"{row:03}"] < 140 for row in range(8))


def test_labels_of_the_pool_are_not_read() -> None:
    # The released code balances by true labels; a view does not even show them.
    with_labels = view_of(PREDICTED, labels={"000": 1, "001": 2})
    assert ask(with_labels, 9) == ask(view_of(PREDICTED), 9)


def test_the_order_of_the_pool_does_not_matter() -> None:
    shuffled = np.random.default_rng(1).permutation(len(PREDICTED)).tolist()
    assert ask(view_of(PREDICTED, rows=shuffled), 9) == ask(view_of(PREDICTED), 9)


def test_a_pool_of_one_and_what_cannot_be() -> None:
    assert ask(view_of([2]), 1).ids == ("000",)
    with pytest.raises(PoolError, match="only 2 candidates"):
        ask(view_of([0, 1]), 3)
    view = view_of([0, 1, 2])
    view.evidence.log_probs[1] = np.nan
    with pytest.raises(ScoreError, match="the first that of '001'"):
        ask(view, 2)
