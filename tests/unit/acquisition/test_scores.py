"""Scores against worked examples, limits, and a plain NumPy form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from bgadl_tf.acquisition import scores
from bgadl_tf.models import predictive
from bgadl_tf.models.predictive import Predictive


def of_passes(probs: list[list[float]]) -> Predictive:
    """Predictive distribution of one image, from class probabilities ``[K, C]``."""
    log_probs = np.log(np.maximum(np.array(probs, np.float32), np.finfo(np.float32).tiny))
    return predictive.from_log_probs(tf.constant(log_probs[:, None]))


WORKED = of_passes([[0.9, 0.05, 0.05], [0.1, 0.6, 0.3]])


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (scores.predictive_entropy, 1.016871),
        (scores.mutual_information, 0.370699),
        (scores.least_confidence, 0.5),
        (scores.negative_margin, -0.175),
        (scores.variation_ratio, 0.5),
        (scores.mean_std, 0.266667),
    ],
)
def test_the_worked_example(score: Callable[[Predictive], tf.Tensor], expected: float) -> None:
    assert float(score(WORKED)[0]) == pytest.approx(expected, abs=1e-6)


def test_bald_of_the_worked_example_in_bits() -> None:
    bald = float(scores.mutual_information(WORKED)[0])
    assert bald / math.log(2) == pytest.approx(0.534805, abs=1e-6)


def test_limits() -> None:
    same = of_passes([[0.7, 0.2, 0.1]] * 5)
    for score in (scores.mutual_information, scores.variation_ratio, scores.mean_std):
        assert float(score(same)[0]) == pytest.approx(0.0, abs=1e-6)
    opposed = of_passes([[1.0, 0.0], [0.0, 1.0]])
    assert float(scores.mutual_information(opposed)[0]) == pytest.approx(math.log(2), abs=1e-6)
    uniform = of_passes([[1 / 3] * 3] * 2)
    assert float(scores.predictive_entropy(uniform)[0]) == pytest.approx(math.log(3), abs=1e-6)
    assert float(scores.mutual_information(uniform)[0]) == pytest.approx(0.0, abs=1e-6)


def test_margin_and_entropy_rank_differently() -> None:
    images = tf.math.log([[[0.5, 0.49, 0.01], [0.4, 0.3, 0.3], [0.6, 0.2, 0.2]]])
    prediction = predictive.from_log_probs(images)
    assert int(tf.argmax(scores.negative_margin(prediction))) == 0
    assert int(tf.argmax(scores.least_confidence(prediction))) == 1
    np.testing.assert_allclose(
        scores.predictive_entropy(prediction), [0.7422, 1.0889, 0.9503], atol=1e-4
    )


def test_impossible_classes_do_not_make_nan() -> None:
    # The released code multiplies log2(0) by 0 and buys the NaN first (methods, fault 7).
    log_probs = tf.constant([[[0.0, -math.inf]], [[-math.inf, 0.0]], [[0.0, -200.0]]])
    prediction = predictive.from_log_probs(log_probs)
    for score in (scores.predictive_entropy, scores.mutual_information, scores.mean_std):
        assert np.isfinite(score(prediction)).all()


@given(st.integers(0, 2**31 - 1), st.integers(2, 30), st.integers(2, 12), st.floats(0.01, 40))
def test_mutual_information_lies_between_0_and_the_entropy(
    seed: int, passes: int, classes: int, spread: float
) -> None:
    logits = tf.random.stateless_normal((passes, 6, classes), (seed, 0)) * spread
    prediction = predictive.from_log_probs(tf.nn.log_softmax(logits))
    bald, entropy = (
        np.asarray(score(prediction))
        for score in (scores.mutual_information, scores.predictive_entropy)
    )
    assert (bald >= 0).all()
    assert (bald <= entropy + 1e-6).all()
    assert (entropy <= math.log(classes) + 1e-5).all()
