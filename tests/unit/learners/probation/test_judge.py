"""Which examples a judge agrees with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.probation import judge
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.models.losses import cross_entropy
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner

X, Y = tf.constant(some_images(12) / 255.0, tf.float32), tf.constant(some_labels(12))
SEED = tf.constant([3, 4])


def make(**options: Any) -> ProbationLearner:
    learner = small_learner("acgan", **options)
    assert isinstance(learner, ProbationLearner)
    return learner


def test_a_label_that_is_probable_enough_counts() -> None:
    log_probs = tf.math.log([[0.2, 0.8], [0.5, 0.5], [0.7, 0.3]])
    found = judge.agrees(log_probs, tf.constant([0, 1, 0]), 0.4)
    np.testing.assert_array_equal(found, [0.0, 1.0, 1.0])


def test_passes_are_averaged_as_probabilities() -> None:
    classifier = small_learner("plain").classifier
    found = judge.passes(classifier, X, SEED, 5)
    masks = classifier.head.mc_masks(SEED, 5)
    passes = [
        tf.exp(classifier.head(classifier.features(X), masks=[stage[k : k + 1] for stage in masks]))
        for k in range(5)
    ]
    np.testing.assert_allclose(tf.exp(found), tf.add_n(passes) / 5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["classifier", "passes", "teacher"])
def test_each_judge_decides_by_its_own_probabilities(kind: str) -> None:
    learner = make(agreement=0.1, judge=kind, judge_passes=3)
    if kind == "teacher":
        for weight in learner.teacher.weights:
            weight.assign(weight + 0.05)
    probabilities = {
        "classifier": lambda: tf.exp(learner.classifier(X)),
        "passes": lambda: tf.exp(judge.passes(learner.classifier, X, SEED, 3)),
        "teacher": lambda: tf.exp(learner.teacher(X)),
    }[kind]()
    own = tf.gather(probabilities, Y, batch_dims=1).numpy()
    assert 0 < np.mean(own >= 0.1) < 1
    other = tf.reverse(X, [0])
    agreed = learner.agree({"one": X, "other": other}, Y, SEED)
    np.testing.assert_array_equal(agreed["one"], own >= 0.1)
    assert {*agreed} == {"one", "other"}
    assert agreed["other"].shape == (12,)


def test_no_gradient_comes_back_from_the_judge() -> None:
    learner = make(agreement=0.1)
    with tf.GradientTape() as tape:
        tape.watch(X)
        agreed = learner.agree({"one": X}, Y, SEED)["one"]
        loss = tf.reduce_sum(agreed * cross_entropy(tf.ones((12, 10)) * X[:, 0, 0], Y))
        weights = learner.classifier.trainable_variables
    of_weights, of_examples = tape.gradient(loss, [weights, X])
    assert all(gradient is None for gradient in of_weights)
    assert of_examples is not None


def test_without_agreement_everyone_counts() -> None:
    learner = make()
    assert learner.agree({"one": X}, Y, SEED) == {}
    assert "teacher" not in make(judge="teacher").saved_networks


def test_what_can_have_no_effect_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"judge is 'passes', but classifier .* has no dropout"):
        make(agreement=0.5, judge="passes", dropout=0.0)
    for options in ({"agreement": 0.5}, {"gradient_similarity": "gated"}):
        with pytest.raises(ConfigError, match="this learner has no further examples"):
            small_learner("plain", **options)
    with pytest.raises(ConfigError, match="transforms_on_probation is True; must be false where"):
        small_learner("plain", transforms_on_probation=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("agreement", 1.5), ("judge", "jury"), ("judge_passes", 0), ("judge_ema", 1.0),
        ("gradient_similarity", "some"), ("transforms_weight", -1.0), ("warmup", "soon"),
        ("generator_every", 0),
    ],
)  # fmt: skip
def test_impossible_options_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"--option {name} is {value}; must be "):
        make(**{name: value})
