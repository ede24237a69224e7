"""MCDAL: the worked example of methods 2.9, one step in NumPy, and what training is for."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.mcdal import MCDAL, Heads, discrepancy, softmax
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, DivergenceError, PoolError
from bgadl_tf.core.types import Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.learners import weights_of
from tests.support.pool_view import GivenEvidence, GivenView, linear

Vectors = NDArray[np.floating[Any]]


def test_the_worked_example() -> None:
    probs = np.array([[[0.7, 0.2, 0.1]], [[0.5, 0.4, 0.1]], [[0.8, 0.1, 0.1]]])
    np.testing.assert_allclose(discrepancy(*probs), [1.2])


def test_softmax_of_large_logits() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4], [0, -1e4]])), [[0.5, 0.5], [1, 0]])


def gradient_of_softmax(probs: Vectors, upstream: Vectors) -> Vectors:
    """Of the logits, from that of the probabilities, ``[n, C]``."""
    inner = (probs * upstream).sum(axis=1, keepdims=True)
    return np.asarray(probs * (upstream - inner))


def test_one_step_is_the_papers() -> None:
    rng = np.random.default_rng(0)
    labelled, unlabelled = rng.normal(size=(2, 6, 5))
    labels = np.array([0, 1, 2, 0, 1, 1])
    classifier = linear(5, 3)
    heads = Heads.drawn(classifier, 1, 1e-3)
    heads.compile({name: keras.optimizers.SGD(0.1) for name in heads.networks})
    heads.train_step(
        Batch(tf.constant(labelled, tf.float32), labels, tf.constant(unlabelled, tf.float32))
    )
    main = softmax(
        unlabelled @ classifier.head.weights[0].numpy() + classifier.head.weights[1].numpy()
    )
    fresh = Heads.drawn(classifier, 1, 1e-3)
    weights = [list(fresh.weights_of(name)) for name in fresh.networks]

    def classify() -> list[tuple[Vectors, Vectors]]:
        found = []
        for kernel, bias in weights:
            error = (softmax(labelled @ kernel + bias) - np.eye(3)[labels]) / 6
            found.append((labelled.T @ error, error.sum(axis=0)))
        return found

    def descend(gradients: list[tuple[Vectors, Vectors]]) -> None:
        for own, (kernel, bias) in zip(weights, gradients, strict=True):
            own[0], own[1] = own[0] - 0.1 * kernel, own[1] - 0.1 * bias

    descend(classify())
    probs = [softmax(unlabelled @ kernel + bias) for kernel, bias in weights]
    gradients = []
    for (kernel, bias), own, other in zip(classify(), probs, probs[::-1], strict=True):
        upstream = (np.sign(own - other) + np.sign(own - main)) / 3 / 6
        error = gradient_of_softmax(own, upstream)
        gradients.append((kernel - unlabelled.T @ error, bias - error.sum(axis=0)))
    descend(gradients)
    for name, (kernel, bias) in zip(heads.networks, weights, strict=True):
        np.testing.assert_allclose(heads.weights_of(name)[0], kernel, atol=1e-5)
        np.testing.assert_allclose(heads.weights_of(name)[1], bias, atol=1e-5)


def view_of(vectors: Vectors, labels: dict[int, Label], at_once: int = 7) -> GivenView:
    log_probs = linear(vectors.shape[1], 3)(tf.constant(vectors, tf.float32)).numpy()
    evidence = GivenEvidence.of_tables(log_probs[None], vectors.astype(np.float32))
    ids = [f"x{row:03}" for row in range(len(vectors))]
    rows = [row for row in range(len(vectors)) if row not in labels]
    return GivenView(
        evidence, ids, rows, at_once, labels={ids[row]: label for row, label in labels.items()}
    )


def ask(view: GivenView, size: int, seed: int = 0, **options: Any) -> Query:
    return MCDAL(**options).query(view, size, np.random.default_rng(seed))


def clusters() -> tuple[Vectors, dict[int, Label]]:
    """Three labelled clusters, and a fourth of which nothing is labelled."""
    centres = np.array([(4, 0, 0), (0, 4, 0), (0, 0, 4), (-3, -3, -3)])
    vectors = centres[np.arange(80) % 4] + 0.3 * np.random.default_rng(0).normal(size=(80, 3))
    return vectors, {row: row % 4 for row in range(40) if row % 4 < 3}


def test_the_heads_agree_on_what_is_labelled_and_differ_elsewhere() -> None:
    query = ask(view_of(*clusters()), 12, steps=300, learning_rate=0.02)
    assert {int(id_[1:]) % 4 for id_ in query.ids} == {3}
    assert all(0 < score <= 6 for score in query.scores)


def test_the_heads_are_trained_on_labels_and_the_classifier_is_not() -> None:
    vectors, labels = clusters()
    view = view_of(vectors, labels)
    heads = view.make(lambda classifier: Heads.drawn(classifier, 0, 0.02))
    classifier = view.evidence.classifier
    before = [weight.numpy() for weight in classifier.weights]
    drawn = weights_of(heads)
    view.train(heads, 300)
    for weight, old in zip(classifier.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    for name, weight in weights_of(heads).items():
        assert np.abs(weight - drawn[name]).max() > 0.1
    rows = [*labels]
    for name in heads.networks:
        kernel, bias = heads.weights_of(name)
        found = (vectors[rows] @ kernel + bias).argmax(axis=1)
        np.testing.assert_array_equal(found, [labels[row] for row in rows])
    assert heads.metrics[1].result() > 0


def test_the_seed_draws_the_heads() -> None:
    view = view_of(*clusters())
    assert ask(view, 5, 1, steps=3) == ask(view, 5, 1, steps=3)
    assert ask(view, 5, 1, steps=3).scores != ask(view, 5, 2, steps=3).scores
    one, other = (Heads.drawn(linear(3, 3), 0, 0.1).weights_of(name)[0] for name in
                  ("first", "second"))  # fmt: skip
    assert np.abs(one - other).max() > 0.1


def test_a_class_without_a_label_and_a_pool_of_one() -> None:
    vectors, _ = clusters()
    assert len(ask(view_of(vectors, {0: 0}), 79, steps=2).ids) == 79
    labels: dict[int, Label] = dict.fromkeys(range(79), 1)
    assert ask(view_of(vectors, labels), 1, steps=2).ids == ("x079",)


def test_constant_features_score_alike() -> None:
    query = ask(view_of(np.ones((20, 3)), {19: 0}), 19, steps=2)
    assert {*query.ids} == {f"x{row:03}" for row in range(19)}
    assert len({*query.scores}) == 1


def test_without_labels_or_candidates_it_is_an_error() -> None:
    vectors, labels = clusters()
    with pytest.raises(PoolError, match="mcdal trains on labels, and there are none yet"):
        ask(view_of(vectors, {}), 3)
    with pytest.raises(PoolError, match="only 50 candidates"):
        ask(view_of(vectors, labels), 51)


def test_what_is_not_finite_is_an_error() -> None:
    vectors, labels = clusters()
    vectors[3, 0] = np.nan
    with pytest.raises(DivergenceError, match="not finite"):
        ask(view_of(vectors, labels), 3, steps=20)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("steps", 0, r"mcdal\.steps is 0; it must be at least 1"),
        ("learning_rate", 0.0, r"mcdal\.learning_rate is 0\.0; it must be positive"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        create("mcdal", lambda name, owner: {option: value})


def learner_of(strategy: tf.distribute.Strategy) -> ActiveLearner:
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    labels = (np.arange(60) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    kind = LEARNERS.get("plain")
    with strategy.scope():
        learner = kind.create(CLASSIFIERS.get("lenet")((8, 8, 1), 3), kind.options_type())
    plan = Plan(rounds=2, query_size=4, initial_size=6, candidates=40, steps=2, batch_size=6)
    return ActiveLearner(learner, MCDAL(steps=4), dataset, plan=plan, strategy=strategy)


def test_in_the_loop_and_made_again_the_query_is_the_same(
    one_device: tf.distribute.Strategy,
) -> None:
    active = learner_of(one_device)
    assert active.run()
    assert [record["labelled"] for record in active.journal.finished()] == [6, 10, 14]
    assert active.scorer.score_traces == 1
    again = learner_of(one_device)
    again.step()
    assert again.ask() == active.journal.query(1)


def test_on_two_replicas_as_on_one(
    one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy
) -> None:
    queries = []
    for strategy in (one_device, mirrored):
        active = learner_of(strategy)
        active.step()
        queries.append(active.ask())
    assert queries[0].ids == queries[1].ids
    np.testing.assert_allclose(queries[0].scores, queries[1].scores, rtol=1e-3)
