"""What holds for every registered acquisition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.base import ACQUISITIONS
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Floats, Id
from bgadl_tf.models import predictive
from bgadl_tf.models.predictive import Predictive

LOGITS = tf.random.stateless_normal((7, 30, 4), (1, 2)) * 2.0
IDS = tuple(f"image-{number}" for number in np.random.default_rng(0).permutation(30))


@dataclass(frozen=True)
class View:
    """Fixed predictions of some ids, a few at a time."""

    rows: Sequence[int]
    at_once: int = 7

    @property
    def ids(self) -> Sequence[Id]:
        return [IDS[row] for row in self.rows]

    def scores(self, score: Callable[[Predictive], tf.Tensor]) -> Iterator[Floats]:
        logits = tf.gather(LOGITS, self.rows, axis=1)
        whole = predictive.from_log_probs(tf.nn.log_softmax(logits))
        for start in range(0, len(self.rows), self.at_once):
            part = Predictive(*(array[start : start + self.at_once] for array in whole))
            yield np.asarray(score(part))


def query(name: str, rows: Sequence[int], size: int = 5, seed: int = 0, at_once: int = 7) -> Query:
    return ACQUISITIONS.get(name)().query(View(rows, at_once), size, np.random.default_rng(seed))


@pytest.fixture(params=list(ACQUISITIONS))
def name(request: pytest.FixtureRequest) -> str:
    """Each registered acquisition."""
    return str(request.param)


def test_unique_candidates_in_falling_order_of_finite_scores(name: str) -> None:
    asked = query(name, range(20))
    assert len(set(asked.ids)) == 5
    assert set(asked.ids) <= set(IDS[:20])
    assert list(asked.scores) == sorted(asked.scores, reverse=True)
    assert np.isfinite(asked.scores).all()


def test_the_same_seed_asks_the_same(name: str) -> None:
    assert query(name, range(30)) == query(name, range(30))


@pytest.mark.parametrize("size", [1, 5, 30])
def test_what_is_asked_does_not_depend_on_how_much_is_seen_at_once(name: str, size: int) -> None:
    at_once = query(name, range(30), size, at_once=30)
    for count in (1, 4, 29):
        asked = query(name, range(30), size, at_once=count)
        assert asked.ids == at_once.ids
        np.testing.assert_allclose(asked.scores, at_once.scores, rtol=1e-6)


def test_permuting_the_pool_changes_nothing(name: str) -> None:
    # The released code adds scores up by position over shuffled passes (methods, fault 1).
    shuffled = np.random.default_rng(1).permutation(30).tolist()
    whole, permuted = (query(name, rows, size=30) for rows in (range(30), shuffled))
    assert dict(zip(permuted.ids, permuted.scores, strict=True)) == dict(
        zip(whole.ids, whole.scores, strict=True)
    )


def test_an_exhausted_pool_is_an_error(name: str) -> None:
    with pytest.raises(PoolError, match="only 3 candidates"):
        query(name, range(3))


def test_random_depends_on_its_seed_alone() -> None:
    assert query("random", range(30), seed=1) != query("random", range(30), seed=2)
