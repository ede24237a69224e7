"""DeepFool against the worked example of methods 2.4 and a loop over single examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.learners import initial_weights
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.deepfool import UNKNOWN, deepfool
from tests.support.pool_view import Linear

EXAMPLES = np.array([(2, 1), (1, 3), (-2, -1.5), (0.3, 0.2), (3, 0)], np.float32)
DISTANCES = [0.7071, 1.4142, 2.4597, 0.0707, 2.1213]

Vectors = NDArray[np.floating[Any]]


def worked() -> Classifier:
    """W = [[1, 0], [0, 1], [-1, -1]], bias (0, 0, 0.5)."""
    classifier = Linear((2,), 3)
    classifier.head.stages[0].set_weights(
        [np.array([[1, 0, -1], [0, 1, -1]]), np.array([0, 0, 0.5])]
    )
    return classifier


def test_the_worked_example() -> None:
    found = deepfool(worked(), tf.constant([(2.0, 1.0)]))
    np.testing.assert_allclose(found.change, [(-0.5, 0.5)], atol=1e-6)
    np.testing.assert_allclose(found.distance, [0.707107], atol=1e-6)
    assert found.crossed.numpy().tolist() == [True]


def test_the_nearest_class_and_not_the_last_one() -> None:
    # DeepAL+ never lowers the smallest distance that it compares with.
    found = deepfool(worked(), tf.constant(EXAMPLES))
    np.testing.assert_allclose(found.distance, DISTANCES, atol=1e-4)
    assert found.crossed.numpy().all()


def test_towards_the_most_probable_classes_alone() -> None:
    found = deepfool(worked(), tf.constant([(-2.0, -1.5)]), classes=2)
    # Class 2 against 1, the runner-up; 0 is farther.
    np.testing.assert_allclose(found.distance, [2.4597], atol=1e-4)


def perceptron() -> Classifier:
    classifier = CLASSIFIERS.get("mlp")((4,), 5)
    initial_weights.draw(classifier, len)
    return classifier


def slow(classifier: Classifier, example: Vectors, steps: int) -> tuple[Vectors, bool]:
    """The algorithm for one example, as it is written down."""
    change = np.zeros_like(example)
    predicted = int(classifier(tf.constant(example[None])).numpy().argmax())
    for _ in range(steps):
        at = tf.constant((example + 1.02 * change)[None])
        with tf.GradientTape() as tape:
            tape.watch(at)
            values = classifier(at)
        slopes = tape.jacobian(values, at).numpy()[0, :, 0]
        best, nearest = np.zeros_like(example), np.inf
        for other in range(len(slopes)):
            if other != predicted:
                across = slopes[other] - slopes[predicted]
                gap = abs(float(values[0, other] - values[0, predicted]))
                if gap / np.linalg.norm(across) < nearest:
                    nearest = gap / np.linalg.norm(across)
                    best = gap / np.linalg.norm(across) ** 2 * across
        change = change + best
        now = int(classifier(tf.constant((example + 1.02 * change)[None])).numpy().argmax())
        if now != predicted:
            return change, True
    return change, False


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_as_one_example_at_a_time(steps: int) -> None:
    classifier = perceptron()
    examples = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32) * 3
    found = deepfool(classifier, tf.constant(examples), steps=steps)
    for row, example in enumerate(examples):
        change, crossed = slow(classifier, example, steps)
        np.testing.assert_allclose(found.change[row], change, rtol=1e-3, atol=1e-5)
        assert bool(found.crossed[row]) == crossed
        if crossed:
            length = np.linalg.norm(change)
            assert float(found.distance[row]) == pytest.approx(length, rel=1e-3)
        else:
            assert float(found.distance[row]) > np.linalg.norm(change)


def test_changed_examples_have_another_class() -> None:
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), 3)
    initial_weights.draw(classifier, len)
    images = tf.random.stateless_uniform((6, 8, 8, 1), (1, 2))
    found = tf.function(lambda: deepfool(classifier, images), autograph=False)()
    assert found.change.shape == images.shape
    before, after = (
        classifier(at).numpy().argmax(1) for at in (images, images + 1.02 * found.change)
    )
    np.testing.assert_array_equal(before != after, found.crossed)
    assert found.crossed.numpy().any()


def test_where_all_is_flat_no_boundary_is_known() -> None:
    classifier = Linear((2,), 3)
    classifier.head.stages[0].set_weights([np.zeros((2, 3)), np.array([1, 0, 0])])
    found = deepfool(classifier, tf.constant(EXAMPLES))
    assert found.distance.numpy().tolist() == [np.float32(UNKNOWN)] * 5
    assert not found.crossed.numpy().any()
    assert not found.change.numpy().any()


def test_on_a_boundary_the_distance_is_nothing() -> None:
    found = deepfool(worked(), tf.constant([(1.0, 1.0)]))
    np.testing.assert_allclose(found.distance, [0], atol=1e-6)


def test_what_is_not_finite_stays_so() -> None:
    found = deepfool(worked(), tf.constant([(np.nan, 1.0), (2.0, 1.0)], tf.float32))
    assert np.isnan(found.distance[0])
    assert float(found.distance[1]) == pytest.approx(0.707107)
