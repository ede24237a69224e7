"""Which looks are one and the same, and how often they are traced."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.core.errors import ScoreError
from bgadl_tf.engine.looks import identity
from bgadl_tf.engine.scorer import Scorer
from tests.support.examples import some_images
from tests.support.learners import small_learner

IMAGES = some_images(12)


@dataclass(frozen=True)
class Scaled:
    """A look with an option."""

    factor: float

    def score(self, evidence: Evidence) -> tf.Tensor:
        return self.factor * evidence.log_probs[:, 0]


def scaled(evidence: Evidence, factor: Any) -> tf.Tensor:
    return factor * evidence.log_probs[:, 0]


def fresh(factor: Any) -> Callable[[Evidence], tf.Tensor]:
    """A function that is made anew at every call."""
    return lambda evidence: factor * evidence.log_probs[:, 0]


def with_default(factor: Any) -> Callable[..., tf.Tensor]:
    def look(evidence: Evidence, *, by: Any = factor) -> tf.Tensor:
        return by * evidence.log_probs[:, 0]

    return look


MAKERS = {
    "closure": fresh,
    "default": with_default,
    "method": lambda factor: Scaled(factor).score,
    "partial": lambda factor: functools.partial(scaled, factor=factor),
    "inner closure": lambda factor: fresh(fresh(factor)),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_equal_values_are_one_look_and_others_another(make: Callable[..., Any]) -> None:
    assert identity(make(2.5)) == identity(make(2.5))
    assert hash(identity(make(2.5))) == hash(identity(make(2.5)))
    assert identity(make(2.5)) != identity(make(3.5))


def test_numbers_that_are_equal_but_of_another_type_are_another_look() -> None:
    assert len({identity(fresh(value)) for value in (1, 1.0, True)}) == 3


def test_other_lines_of_a_program_are_other_looks() -> None:
    one, other = (lambda evidence: evidence.features), (lambda evidence: evidence.inputs)
    assert identity(one) != identity(other)
    assert identity(BALD().score) != identity(Scaled(1.0).score)


@pytest.mark.parametrize("name", ["closure", "default", "partial"])
def test_what_holds_an_array_is_refused(name: str, one_device: tf.distribute.Strategy) -> None:
    look = MAKERS[name](np.ones(3))
    with pytest.raises(ScoreError, match=r"a value that cannot be compared.*frozen dataclass"):
        identity(look)
    scorer = Scorer(small_learner("plain"), one_device, 3)
    with pytest.raises(ScoreError, match="traced anew in every round"):
        next(scorer.look(IMAGES, 1, MAKERS[name](np.ones(3))))


def seen(scorer: Scorer, look: Callable[..., Any]) -> np.ndarray:
    return np.concatenate([part for (part,) in scorer.look(IMAGES, 1, look)])


@pytest.mark.parametrize("name", ["closure", "method", "partial"])
def test_a_look_that_is_made_anew_every_round_is_traced_once(
    name: str, one_device: tf.distribute.Strategy
) -> None:
    scorer = Scorer(small_learner("plain"), one_device, 3, chunk=5)
    first, again = (seen(scorer, MAKERS[name](2.0)) for _ in range(2))
    assert scorer.score_traces == 1
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(seen(scorer, MAKERS[name](4.0)), 2.0 * first, rtol=1e-6)
    assert scorer.score_traces == 2


def test_a_wrapper_shares_the_trace_of_what_it_wraps(one_device: tf.distribute.Strategy) -> None:
    scorer = Scorer(small_learner("plain"), one_device, 5, chunk=12)
    view: Any = SimpleNamespace(
        ids=[f"{number:02}" for number in range(12)],
        look=lambda look: scorer.look(IMAGES, 1, look),
    )
    rng = np.random.default_rng(0)
    for _ in range(2):
        create("power:bald").query(view, 3, rng)
    assert scorer.score_traces == 1
    plain = create("bald").query(view, 12, rng)
    assert scorer.score_traces == 1
    drawn = create("power:bald").query(view, 12, rng)
    assert dict(zip(*drawn[:2], strict=True)) == dict(zip(*plain[:2], strict=True))
    create("margin").query(view, 3, rng)
    assert scorer.score_traces == 2


def test_the_classifier_before_is_looked_at_by_a_trace_of_its_own(
    one_device: tf.distribute.Strategy,
) -> None:
    learner = small_learner("plain")
    learner.keep_previous()
    scorer = Scorer(learner, one_device, 5, chunk=12)
    before = seen(scorer, fresh(1.0))
    for weight in learner.classifier.weights:
        weight.assign(0.5 * weight)
    (now,) = np.concatenate([*scorer.look(IMAGES, 1, fresh(1.0))], axis=1)
    (old,) = np.concatenate([*scorer.look(IMAGES, 1, fresh(1.0), previous=True)], axis=1)
    np.testing.assert_array_equal(old, before)
    assert not np.array_equal(now, before)
    learner.remember_classifier()
    (old,) = np.concatenate([*scorer.look(IMAGES, 1, fresh(1.0), previous=True)], axis=1)
    np.testing.assert_array_equal(old, now)
    assert scorer.score_traces == 2
