"""Pseudo-labels: folds, cross-fitting, and a gate that opens only where C is right often enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.learners.batch import Batch, Guess
from bgadl_tf.learners.pseudo import PseudoOptions
from bgadl_tf.learners.pseudo_labels.cross_fitted import CrossFitted
from bgadl_tf.learners.pseudo_labels.folds import folds_of
from bgadl_tf.learners.pseudo_labels.gate import Gate
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.mc_dropout import StochasticHead
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import reseed, small_learner, weights_of


@pytest.mark.parametrize("examples", [some_vectors(3000), some_images(3000) / np.float32(255)])
def test_folds_follow_from_contents_and_are_even(examples: np.ndarray) -> None:
    folds = folds_of(tf.constant(examples), 3).numpy()
    assert np.abs(np.bincount(folds, minlength=3) - 1000).max() < 150
    order = np.random.default_rng(0).permutation(3000)
    np.testing.assert_array_equal(folds_of(tf.constant(examples[order]), 3), folds[order])
    copies = np.concatenate([examples[:50], examples[:50]])
    np.testing.assert_array_equal(folds_of(tf.constant(copies), 3)[:50], folds[:50])


def test_other_contents_are_in_other_folds_even_if_they_are_a_permutation() -> None:
    vectors = some_vectors(2000)
    turned = folds_of(tf.constant(vectors[:, ::-1].copy()), 2).numpy()
    assert 800 < (turned == folds_of(tf.constant(vectors), 2).numpy()).sum() < 1200


def seeing(
    confidence: np.ndarray,
    right: np.ndarray,
    kind: str = "threshold",
    precision: float = 0.8,
    caution: float = 0.0,
    steps: int = 1,
) -> Gate:
    gate = Gate(kind, precision, caution, decay=0.9)
    for _ in range(steps):
        gate.see(tf.constant(confidence, tf.float32), tf.constant(right))
    return gate


CONFIDENCE = np.repeat([0.35, 0.55, 0.78, 0.96], 100)
RIGHT = np.concatenate([np.arange(100) < share for share in (20, 50, 80, 98)])


@pytest.mark.parametrize(
    ("precision", "expected"),
    # Above 0.6 lie the last two hundred, of which 178 are right; above 0.8 the last hundred.
    [(0.88, [0, 1, 1, 1]), (0.95, [0, 0, 1, 1]), (0.99, [0, 0, 0, 0])],
)
def test_a_threshold_opens_where_held_out_predictions_are_right_often_enough(
    precision: float, expected: list[int]
) -> None:
    gate = seeing(CONFIDENCE, RIGHT, precision=precision)
    weights = gate.weights(tf.constant([0.59, 0.61, 0.81, 0.999]), 400)
    np.testing.assert_array_equal(weights, expected)


def test_weights_follow_the_share_of_right_ones_in_the_bin() -> None:
    gate = seeing(CONFIDENCE, RIGHT, "weighted", precision=0.6)
    weights = gate.weights(tf.constant([0.36, 0.55, 0.76, 0.96, 0.65]), 400)
    np.testing.assert_allclose(weights, [0, 0, 0.5, 0.95, 0], atol=1e-6)


def test_what_counts_nothing_is_not_seen() -> None:
    weights = tf.constant([1.0] * 100 + [0.0] * 50)
    gate = Gate("weighted", 0.5, 0.0, 0.9)
    gate.see(tf.fill((150,), 0.9), tf.range(150) < 80, weights)
    np.testing.assert_allclose(gate.weights(tf.constant([0.9]), 100), [0.6], atol=1e-6)


@pytest.mark.parametrize("kind", ["threshold", "weighted"])
def test_it_is_closed_before_it_has_seen_anything_and_where_c_is_often_wrong(kind: str) -> None:
    empty = Gate(kind, 0.5, 0.0, 0.9)
    np.testing.assert_array_equal(empty.weights(tf.constant([1.0, 0.5]), 50), [0, 0])
    wrong = seeing(np.full(100, 0.99), np.arange(100) < 60, kind)
    np.testing.assert_array_equal(wrong.weights(tf.constant([0.992, 0.5]), 100), [0, 0])


def test_caution_asks_for_more_where_fewer_are_labelled() -> None:
    confidence, right = np.full(64, 0.96), np.arange(64) < 60
    gate = seeing(confidence, right, "weighted", precision=0.85, caution=1.64, steps=200)
    assert gate.weights(tf.constant([0.96]), 20) == 0
    # Wilson's bound, by hand: 60 of 64 seen again and again are no more than 200 examples.
    share, z, n = 60 / 64, 1.64, 200
    bound = share + z * z / (2 * n) - z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    bound /= 1 + z * z / n
    found = gate.weights(tf.constant([0.96]), n)
    np.testing.assert_allclose(found, [(bound - 0.85) / 0.15], rtol=1e-4)


def cross_entropy(head: StochasticHead, log_probs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return losses.cross_entropy(log_probs, labels)


def test_no_copy_learns_from_what_it_predicts() -> None:
    classifier = CLASSIFIERS.get("mlp")((12,), 10)
    copies = CrossFitted.of(classifier, 2)
    vectors, labels = tf.constant(some_vectors(20)), tf.constant(some_labels(20))
    folds = folds_of(vectors, 2)
    for fold, copy in enumerate(copies.copies):
        only = CrossFitted([copy])
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            loss = only.objective(
                vectors, labels, tf.where(folds == fold, 0, 1), True, tf.constant((1, 2)),
                cross_entropy,
            )  # fmt: skip
        gradient = tf.reduce_sum(tf.abs(tape.gradient(loss, vectors)), 1).numpy()
        np.testing.assert_array_equal(gradient > 0, folds.numpy() != fold)
    heads = [copy.head for copy in copies.copies]
    told = copies.held_out(
        lambda head, features: tf.fill((20, 1), heads.index(head)), vectors, folds, True
    )
    np.testing.assert_array_equal(told[:, 0], folds)


def test_a_trunk_that_nothing_trains_runs_once_for_all_copies() -> None:
    copies = CrossFitted.of(CLASSIFIERS.get("gal_cnn")((12, 12, 1), 10), 3)
    images = tf.constant(some_images(9, (12, 12, 1)) / np.float32(255))
    labels, folds = tf.constant(some_labels(9)), tf.constant([0, 1, 2] * 3)
    runs: list[CrossFitted] = []
    for copy in copies.copies:
        own = copy.features
        copy.features = lambda *given, own=own: (runs.append(copies), own(*given))[1]
    loss, told = {}, {}
    for trained in (True, False):
        runs.clear()
        told[trained] = copies.held_out(
            lambda head, features: head(features), images, folds, trained
        )
        loss[trained] = copies.objective(
            images, labels, folds, trained, tf.constant((1, 2)), cross_entropy
        )
        assert len(runs) == (6 if trained else 2)
    np.testing.assert_allclose(told[False], told[True], rtol=1e-5)
    np.testing.assert_allclose(loss[False], loss[True], rtol=1e-5)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("name", "classifier", "shape", "options"),
    [
        ("pseudo", "lenet", (8, 8, 1), {"trunk_learning_rate": 0.001}),
        ("svm", "mlp", (12,), {"pseudo_weight": 1.0, "gamma": 0.5}),
    ],
)
def test_a_copy_that_sees_every_example_steps_as_the_classifier(
    name: str, classifier: str, shape: Shape, options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """At the rates of the classifier's parts, and down its own loss."""
    monkeypatch.setattr(
        "bgadl_tf.learners.pseudo_labels.learner.folds_of",
        lambda examples, _: tf.ones(16, tf.int32),
    )
    learner = small_learner(
        name,
        classifier,
        shape,
        0.0,
        transforms="none",
        optimizer="sgd",
        learning_rate=0.1,
        **options,
    )
    before = [weight.numpy() for weight in learner.classifier.weights]
    examples = some_images(16, shape) if len(shape) == 3 else some_vectors(16)
    # The gate is closed: of the pool nothing counts yet.
    learner.train_step(Batch(tf.constant(examples), tf.constant(some_labels(16))))
    sees_all, sees_none = learner.cross_fitted.copies
    for mine, theirs in zip(sees_all.weights, learner.classifier.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    moved = zip(before, learner.classifier.trainable_weights, strict=True)
    assert all(not np.array_equal(old, new) for old, new in moved)
    for old, new in zip(before, sees_none.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("target", ["soft", "hard"])
def test_pseudo_labels_teach_only_where_the_gate_is_open(target: str) -> None:
    after = []
    for open_ in (False, True):
        learner = small_learner(
            "pseudo", "mlp", (12,), transforms="none", pseudo_rampup=0, pseudo_target=target
        )
        learner.gate.see(tf.linspace(0.0, 1.0, 50), tf.fill((50,), open_))
        learner.gate.see = lambda *seen: None
        batch = Batch(
            tf.constant(some_vectors(8)), tf.constant(some_labels(8)),
            unlabelled=tf.constant(some_vectors(8, seed=1)),
        )  # fmt: skip
        learner.train_step(batch)
        guess = learner.prepared(learner.unpack(batch), learner.step_seed()).guess
        np.testing.assert_array_equal(guess.weights, np.full(8, float(open_)))
        probs = tf.exp(learner.classifier(batch.unlabelled)).numpy()
        if target == "hard":
            probs = np.eye(10)[probs.argmax(1)]
        np.testing.assert_allclose(guess.targets, probs, atol=1e-6)
        after.append(weights_of(learner))
    assert any(not np.array_equal(after[0][key], value) for key, value in after[1].items())
    assert learner.facts()["weight_pseudo"] == pytest.approx(1.0)


def test_drawn_anew_it_begins_as_the_classifier_with_a_closed_gate() -> None:
    learner = small_learner("pseudo", "mlp", (12,), transforms="none")
    batch = Batch(tf.constant(some_vectors(8)), tf.constant(some_labels(8)))
    fresh = [weight.numpy() for weight in learner.cross_fitted.weights]
    learner.train_step(batch)
    assert np.any(learner.gate.seen.numpy())
    reseed(learner)
    assert not np.any(learner.gate.seen.numpy())
    for copy in learner.cross_fitted.copies:
        for mine, theirs in zip(copy.weights, learner.classifier.weights, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    for before, after in zip(fresh, learner.cross_fitted.weights, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("largest", [0.0, 1.0])
def test_pseudo_labels_of_unusual_examples_can_be_left_out(largest: float) -> None:
    learner = small_learner("vaeacgan", "mlp", (12,), pseudo_weight=1.0, pseudo_ordinary=largest)
    guess = Guess(tf.fill((4, 10), 0.1), tf.constant([1.0, 0.5, 0.0, 1.0]), tf.zeros(4, tf.int32))
    batch = Batch(tf.zeros((4, 12)), tf.zeros(4, tf.int32), guess=guess)
    errors = tf.constant([9.0, 9.0, 9.0, 9.0, 1.0, 2.0, 2.0, 7.0])  # the pool's mean is 3
    found = learner.ordinary(batch, errors).guess.weights
    np.testing.assert_array_equal(found, [1, 0.5, 0, 0] if largest else guess.weights)


@pytest.mark.usefixtures("eager")
def test_the_weight_that_is_recorded_is_without_those_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner = small_learner("vaeacgan", "mlp", (12,), pseudo_weight=1.0, pseudo_ordinary=1.0)
    guess = Guess(tf.fill((8, 10), 0.1), tf.ones(8), tf.zeros(8, tf.int32))
    monkeypatch.setattr(learner, "_guess", lambda batch, seed: guess)
    learner.train_step(
        Batch(
            tf.constant(some_vectors(8)), tf.constant(some_labels(8)),
            unlabelled=tf.constant(some_vectors(8, seed=1)),
        )
    )  # fmt: skip
    # Some of eight errors are above their mean.
    assert 0 < learner.facts()["weight_pseudo"] < 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pseudo_weight", 0), ("pseudo_precision", 1), ("pseudo_precision", -0.5),
        ("pseudo_folds", 1), ("pseudo_decay", 1.0), ("pseudo_teacher", "nobody"),
        ("pseudo_caution", -1), ("pseudo_passes", 1), ("pseudo_target", "x"), ("pseudo_gate", "x"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"--option {name} is"):
        PseudoOptions(**{name: value})
