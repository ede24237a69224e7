"""MASE and BASE: the worked example, every boundary by itself, and degenerate last layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition import boundary
from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.acquisition.base import BASE
from bgadl_tf.acquisition.mase import MASE
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.abilities import LinearHead
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner
from tests.support.pool_view import GivenEvidence, GivenView

KERNEL = np.array([(1, 0), (0, 1), (-1, -1)], np.float32).T
BIAS = np.array([0, 0, 0.5], np.float32)
POINTS = [(2, 1), (1, 3), (-2, -1.5), (0.3, 0.2), (3, 0)]


def logs(points: Any, kernel: Any = KERNEL, bias: Any = BIAS) -> NDArray[np.float32]:
    logits = np.array(points, np.float64) @ kernel + bias
    found: NDArray[np.float64] = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return found.astype(np.float32)


def view_of(
    points: Any, kernel: Any = KERNEL, bias: Any = BIAS, rows: Sequence[int] | None = None
) -> GivenView:
    features = np.array(points, np.float32)
    passes = logs(points, kernel, bias)[np.newaxis]
    evidence = GivenEvidence.of_tables(passes, features, np.array(kernel, np.float32))
    ids = [f"{row:02}" for row in range(len(features))]
    return GivenView(evidence, ids, range(len(ids)) if rows is None else rows, at_once=2)


def ask(name: str, view: GivenView, size: int, seed: int = 0) -> Query:
    return create(name).query(view, size, np.random.default_rng(seed))


def rows_of(query: Query) -> list[int]:
    return [int(id_) for id_ in query.ids]


def test_the_worked_example_of_mase() -> None:
    query = ask("mase", view_of(POINTS), 3)
    assert rows_of(query) == [3, 0, 1]
    np.testing.assert_allclose(query.scores, [-0.0707, -0.7071, -1.4142], atol=1e-4)
    every = ask("mase", view_of(POINTS), 5)
    assert rows_of(every) == [3, 0, 1, 4, 2]
    np.testing.assert_allclose(every.scores[3:], [-2.1213, -2.4597], atol=1e-4)


def test_the_worked_example_of_base() -> None:
    found = boundary.distances(tf.constant(logs(POINTS)), tf.constant(KERNEL)).numpy()
    np.testing.assert_allclose(found[:, 2], [2.0125, 2.9069, 2.4597, 0.1342, 2.4597], atol=1e-4)
    assert logs(POINTS).argmax(1).tolist() == [0, 1, 2, 0, 0]
    query = ask("base", view_of(POINTS), 3)
    assert rows_of(query)[:2] == [3, 0]
    assert rows_of(query)[2] in (2, 4)  # which are as near to class 2
    np.testing.assert_allclose(query.scores, [-0.0707, -0.7071, -2.4597], atol=1e-4)


def test_the_distance_is_how_far_an_input_has_to_move() -> None:
    rng = np.random.default_rng(0)
    points, kernel, bias = rng.normal(size=(30, 6)), rng.normal(size=(6, 4)), rng.normal(size=4)
    found = boundary.distances(
        tf.constant(logs(points, kernel, bias)), tf.constant(kernel, tf.float32)
    ).numpy()
    logits = points @ kernel + bias
    for row, point in enumerate(points):
        k = int(logits[row].argmax())
        for c in {*range(4)} - {k}:
            away = kernel[:, c] - kernel[:, k]
            moved = (point + found[row, c] * away / np.linalg.norm(away)) @ kernel + bias
            assert moved[k] == pytest.approx(moved[c], abs=1e-4)
        others = np.delete(found[row], k)
        assert found[row, k] == others.min()


def slow_base(distances: NDArray[Any], size: int) -> list[int]:
    taken: list[int] = []
    classes = distances.shape[1]
    for c in range(classes):
        quota = size // classes + (c < size % classes)
        order = [row for row in np.argsort(distances[:, c], kind="stable") if row not in taken]
        taken += order[:quota]
    return taken


@pytest.mark.parametrize("size", [1, 3, 4, 11, 25, 30])
def test_base_as_one_class_after_the_other(size: int) -> None:
    rng = np.random.default_rng(1)
    points, kernel, bias = rng.normal(size=(30, 6)), rng.normal(size=(6, 4)), rng.normal(size=4)
    view = view_of(points, kernel, bias)
    found = boundary.distances(
        tf.constant(logs(points, kernel, bias)), tf.constant(kernel, tf.float32)
    )
    query = ask("base", view, size)
    assert {*rows_of(query)} == {*slow_base(found.numpy(), size)}
    assert [*query.scores] == sorted(query.scores, reverse=True)


@pytest.mark.parametrize("name", ["mase", "base"])
def test_the_order_of_the_pool_does_not_matter(name: str) -> None:
    rng = np.random.default_rng(1)
    points, kernel, bias = rng.normal(size=(30, 6)), rng.normal(size=(6, 4)), rng.normal(size=4)
    shuffled = rng.permutation(30).tolist()
    one = ask(name, view_of(points, kernel, bias), 9)
    assert ask(name, view_of(points, kernel, bias, shuffled), 9) == one


def test_equal_kernels_have_no_boundary() -> None:
    # Classes 0 and 1 differ by a constant alone; what is nearest is the boundary to 2.
    kernel = np.array([(1, 0), (1, 0), (0, 1)], np.float32).T * np.float32(0.1)
    found = boundary.distances(
        tf.constant(logs([(2, 1)], kernel, (0.5, 0, 0))), tf.constant(kernel)
    ).numpy()
    assert found[0, 1] == np.float32(boundary.FARTHEST)
    expected = (0.1 * 2 + 0.5 - 0.1) / (0.1 * np.sqrt(2))
    np.testing.assert_allclose(found[0, [0, 2]], expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["mase", "base"])
def test_a_last_layer_of_zeros_and_constant_features(name: str) -> None:
    zeros = np.zeros((2, 3), np.float32)
    assert len({*rows_of(ask(name, view_of(POINTS, zeros, BIAS), 5))}) == 5
    alike = view_of([POINTS[0]] * 4)
    drawn = {tuple(sorted(rows_of(ask(name, alike, 3, seed)))) for seed in range(40)}
    assert drawn == {(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)}


@pytest.mark.parametrize("name", ["mase", "base"])
def test_a_pool_of_one_and_what_cannot_be(name: str) -> None:
    assert rows_of(ask(name, view_of(POINTS[:1]), 1)) == [0]
    with pytest.raises(PoolError, match="only 5 candidates"):
        ask(name, view_of(POINTS), 6)
    with pytest.raises(ScoreError, match="the first that of '03'"):
        ask(name, view_of([*POINTS[:3], (np.nan, 0), *POINTS[4:]]), 2)


@pytest.mark.parametrize("name", ["mase", "base"])
def test_a_head_that_cannot_be_read_is_refused(name: str) -> None:
    learner = small_learner("plain")
    assert isinstance(learner, LinearHead)
    check_needs(name, create(name), learner)
    del learner.last_kernel
    with pytest.raises(
        ConfigError, match=r"needs LinearHead \(a classifier that ends in a dense layer whose"
    ):
        check_needs(name, create(name), learner)


@pytest.mark.parametrize("acquisition", [MASE(), BASE()])
def test_in_the_loop_with_a_deterministic_classifier(acquisition: Any) -> None:
    plan = Plan(rounds=2, query_size=4, initial_size=20, candidates=50, steps=3, batch_size=6)
    active = ActiveLearner(
        small_learner("plain", dropout=0.0), acquisition, load_dataset("digits"), plan=plan
    )
    assert active.run()
    # By every image, not by the look: the newest classifier's own layers.
    asked = active.ask()
    classifier, train = active.learner.classifier, active.dataset.train
    images = tf.constant(train.examples_of(asked.ids), tf.float32) / 255.0
    hidden = classifier.head.penultimate(classifier.features(images)).numpy()
    last = classifier.head.stages[-1]
    logits = hidden @ last.kernel.numpy() + last.bias.numpy()
    found = boundary.distances(tf.constant(logits), tf.constant(last.kernel.numpy())).numpy()
    nearest = found[np.arange(len(found)), logits.argmax(1)]
    assert (nearest <= -np.array(asked.scores) + 1e-4).all()
    if isinstance(acquisition, MASE):
        np.testing.assert_allclose(asked.scores, -nearest, atol=1e-4)
