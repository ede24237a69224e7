"""DFAL asks for what is nearest to a boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.dfal import DFAL
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.pool_view import GivenEvidence, GivenView, linear

Vectors = NDArray[np.floating[Any]]


def view_of(vectors: Vectors) -> GivenView:
    passes = linear(vectors.shape[1], 3)(tf.constant(vectors, tf.float32)).numpy()[None]
    evidence = GivenEvidence.of_tables(passes, vectors.astype(np.float32))
    return GivenView(evidence, "abcdefghij"[: len(vectors)], range(len(vectors)), at_once=3)


def ask(view: GivenView, size: int, **options: Any) -> Query:
    return DFAL(**options).query(view, size, np.random.default_rng(0))


def margins(vectors: Vectors) -> Vectors:
    """Distances to the nearest boundary of a linear classifier, in closed form."""
    kernel, bias = (weight.numpy() for weight in linear(vectors.shape[1], 3).head.weights)
    logits = vectors @ kernel + bias
    found = []
    for row in logits:
        best = int(row.argmax())
        found.append(min(
            (row[best] - row[other]) / np.linalg.norm(kernel[:, best] - kernel[:, other])
            for other in range(3) if other != best
        ))  # fmt: skip
    return np.array(found)


def test_the_smallest_distances_to_a_boundary_of_a_linear_classifier() -> None:
    vectors = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    expected = margins(vectors)
    query = ask(view_of(vectors), 10)
    assert query.ids == tuple("abcdefghij"[row] for row in np.argsort(expected))
    np.testing.assert_allclose(query.scores, -np.sort(expected), rtol=1e-4)


def test_duplicates_and_a_pool_of_one() -> None:
    query = ask(view_of(np.ones((5, 4))), 5)
    assert {*query.ids} == {*"abcde"}
    assert len(ask(view_of(np.ones((1, 4))), 1).ids) == 1


def test_what_cannot_be_asked_for_is_an_error() -> None:
    with pytest.raises(PoolError, match="only 5 candidates"):
        ask(view_of(np.ones((5, 4))), 6)
    vectors = np.ones((5, 4))
    vectors[2, 1] = np.nan
    with pytest.raises(ScoreError, match="'c'"):
        ask(view_of(vectors), 2)


def test_it_is_not_for_power() -> None:
    with pytest.raises(ConfigError, match="got DFAL"):
        create("power:dfal")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("classes", 1, r"dfal\.classes is 1; it must be at least 2"),
        ("steps", 0, r"dfal\.steps is 0; it must be at least 1"),
        ("overshoot", 0.0, r"dfal\.overshoot is 0\.0; it must be positive"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("dfal", lambda name, owner: {option: value})


def run(strategy: tf.distribute.Strategy, classifier: str, width: dict[str, float]) -> Query:
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    labels = (np.arange(60) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    kind = LEARNERS.get("plain")
    with strategy.scope():
        made = CLASSIFIERS.get(classifier)((8, 8, 1), 3, **width)
        learner = kind.create(made, kind.options_type())
    plan = Plan(rounds=1, query_size=40, initial_size=6, candidates=40, steps=2, batch_size=6)
    active = ActiveLearner(learner, DFAL(steps=2), dataset, plan=plan, strategy=strategy)
    active.step()
    query = active.ask()
    assert active.scorer.score_traces == 1
    return query


@pytest.mark.parametrize(
    ("classifier", "width"), [("lenet", {}), ("gal_cnn", {}), ("resnet18", {"width": 0.125})]
)
def test_through_real_classifiers(
    classifier: str, width: dict[str, float], one_device: tf.distribute.Strategy
) -> None:
    query = run(one_device, classifier, width)
    assert all(-1e8 < score < 0 for score in query.scores)


def test_on_two_replicas_as_on_one(
    one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy
) -> None:
    one, two = (dict(zip(*run(where, "lenet", {})[:2], strict=True))
                for where in (one_device, mirrored))  # fmt: skip
    assert two == pytest.approx(one, rel=1e-3)
