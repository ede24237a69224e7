"""Passes without what their masks drop equal passes through the whole head."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models import mc_dropout, predictive, thinned
from bgadl_tf.models.classifiers.mlp import MLP
from bgadl_tf.models.mc_dropout import StochasticHead
from bgadl_tf.models.thinned import Thinned
from tests.support.examples import some_vectors
from tests.support.scoring import bald_of

SEED, PASSES = (3, 4), 23


def head(
    hidden: tuple[int, ...], rates: tuple[float, ...], policy: str = "float32"
) -> StochasticHead:
    """With biases that are not zero, and an activation that is not where its argument is."""
    made = StochasticHead(4, hidden, rates, ["sigmoid"] * len(hidden), dtype=policy)
    made.build((None, 9))
    rng = np.random.default_rng(0)
    made.set_weights([rng.normal(size=weight.shape) / 2 for weight in made.get_weights()])
    return made


@pytest.mark.parametrize("wide", [1, 1000])
@pytest.mark.parametrize("images", [1, 30])
@pytest.mark.parametrize(
    ("hidden", "rates"),
    [((7,), (0.5, 0.5)), ((7, 6), (0.6, 0.3, 0.5)), ((7, 6), (0.5, 0.0, 0.2)), ((40,), (0.9, 0.9))],
)
def test_they_are_the_passes_of_the_masks(
    hidden: tuple[int, ...],
    rates: tuple[float, ...],
    images: int,
    wide: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the features that a pass keeps collected, and without."""
    monkeypatch.setattr(thinned, "WIDE", wide)
    made = head(hidden, rates)
    features = tf.random.stateless_normal((images, 9), SEED)
    masks = made.mc_masks(tf.constant(SEED), PASSES)
    prepared = made.prepared(masks)
    assert isinstance(prepared, Thinned)
    assert (prepared.rows is None) == (wide > 1)
    plain = tf.stack(
        [made(features, masks=[mask[k : k + 1] for mask in masks]) for k in range(PASSES)]
    )
    assert np.std(plain, axis=0).max() > 0.01
    np.testing.assert_allclose(made.mc_log_probs(features, masks, prepared), plain, 1e-5, 1e-5)
    moments = predictive.predict(made, features, masks, prepared)
    for mine, theirs in zip(moments, predictive.from_log_probs(plain), strict=True):
        np.testing.assert_allclose(mine, theirs, 1e-5, 1e-5)


def test_half_the_bits_are_as_good_as_those_of_whole_kernels() -> None:
    exact, rounded = (head((40,), (0.25, 0.5), policy) for policy in ("float32", "mixed_bfloat16"))
    features = tf.random.stateless_normal((50, 9), SEED)
    masks = exact.mc_masks(tf.constant(SEED), PASSES)
    half = tf.cast(features, tf.bfloat16)
    prepared = rounded.prepared(masks)
    assert isinstance(prepared, Thinned)
    expected = exact.mc_log_probs(features, masks)
    thin, whole = (
        np.abs(rounded.mc_log_probs(half, masks, kernels) - expected).mean()
        for kernels in (prepared, rounded.masked_kernels(masks))
    )
    assert 0 < thin < 1.2 * whole < 0.02


def test_heads_of_one_layer_and_those_that_subtract_are_left_as_they_are() -> None:
    for made in (head((), (0.5,)), head((7,), (0.5, 0.0)), head((7,), (0.25, 0.5))):
        prepared = made.prepared(made.mc_masks(tf.constant(SEED), 4))
        assert not isinstance(prepared, Thinned)


def test_other_masks_are_not_traced_anew(one_device: tf.distribute.Strategy) -> None:
    learner = Plain(MLP((12,), 10))
    scorer, vectors = Scorer(learner, one_device, 8), some_vectors(30)
    scores = [bald_of(scorer, vectors, seed) for seed in range(6)]
    assert scorer.score_traces == 1
    assert len({float(score[0]) for score in scores}) == 6


def test_two_replicas_see_what_one_sees(
    one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy
) -> None:
    vectors, scores = some_vectors(30), []
    weights = None
    for strategy in (one_device, mirrored):
        with strategy.scope():
            learner = Plain(MLP((12,), 10))
            learner.compile()
        weights = learner.classifier.get_weights() if weights is None else weights
        learner.classifier.set_weights(weights)
        scores.append(bald_of(Scorer(learner, strategy, 8), vectors, 3))
    assert scores[0].std() > 1e-3
    np.testing.assert_allclose(*scores, atol=1e-6)


def test_kernels_that_are_too_large_together_are_not_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = head((7, 6), (0.5, 0.5, 0.5))
    masks = network.mc_masks(tf.constant(SEED), PASSES)
    first, every = 9 * 7, 9 * 7 + 7 * 6 + 6 * 4
    monkeypatch.setattr(mc_dropout, "LARGEST_COPIES", PASSES * every * 4)
    assert isinstance(network.prepared(masks), Thinned)
    monkeypatch.setattr(mc_dropout, "LARGEST_COPIES", PASSES * first * 4)
    assert not isinstance(network.prepared(masks), Thinned)
