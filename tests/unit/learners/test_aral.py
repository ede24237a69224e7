"""ARAL: the worked example of methods 2.8, its terms one by one, and the faults of its code."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.aral import ARAL
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.encoder import Encoder
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner, weights_of

IMAGES, LABELS, POOL = some_images(16), some_labels(16), some_images(16, seed=1)


def make(classifier: str = "lenet", **options: Any) -> ARAL:
    learner = small_learner("aral", classifier, **options)
    assert isinstance(learner, ARAL)
    return learner


def batch() -> Batch:
    return Batch(tf.constant(IMAGES), tf.constant(LABELS), tf.constant(POOL))


def moved(learner: ARAL, given: Batch | None = None) -> dict[str, np.ndarray[Any, Any]]:
    """By how much a step of plain gradient descent moves every weight."""
    learner.compile({name: keras.optimizers.SGD(0.1) for name in learner.networks})
    before = weights_of(learner)
    learner.train_step(batch() if given is None else given)
    return {name: new - before[name] for name, new in weights_of(learner).items()}


def changed(one: ARAL, other: ARAL) -> set[str]:
    """Networks that a step moves otherwise."""
    first, second = moved(one), moved(other)
    differ = (name for name in first if not np.array_equal(first[name], second[name]))
    return {name.partition("/")[0] for name in differ}


def test_the_worked_example() -> None:
    real = tf.reduce_logsumexp(tf.constant([[2.0, 0.0, -1.0]]), axis=1)
    np.testing.assert_allclose(real, [2.169846], atol=1e-6)
    np.testing.assert_allclose(losses.cross_entropy_real(real), [0.108132], atol=1e-6)
    # (C + 1) classes of which the last, generated, has the logit 0.
    probability = tf.nn.softmax(tf.constant([2.0, 0.0, -1.0, 0.0]))[:3]
    np.testing.assert_allclose(-np.log(np.sum(probability)), 0.108132, atol=1e-6)


@pytest.mark.parametrize("distance", ["squared", "absolute"])
def test_features_are_matched_by_their_means(distance: str) -> None:
    rng = np.random.default_rng(0)
    real, made = (tf.constant(rng.normal(size=(6, 3)), tf.float32) for _ in range(2))
    variable = tf.Variable(made)
    with tf.GradientTape(persistent=True) as tape:
        found = losses.feature_matching(real, variable, distance)
        mean = losses.global_mean(found)
        apart = tf.reduce_mean(variable, 0) - tf.reduce_mean(real, 0)
        plain = tf.reduce_mean(tf.square(apart) if distance == "squared" else tf.abs(apart))
    np.testing.assert_allclose(found, np.full(6, plain), rtol=1e-5)
    np.testing.assert_allclose(
        tape.gradient(mean, variable), tape.gradient(plain, variable), rtol=1e-5, atol=1e-8
    )


def test_the_discriminator_is_the_classifier() -> None:
    learner = make(dropout=0.0)
    inputs = learner.unpack(batch())
    logits, hidden = learner.see({"real": inputs.examples}, tf.constant([1, 2]))
    head = learner.classifier.head
    features = learner.classifier.features(inputs.examples, training=True)
    np.testing.assert_allclose(logits["real"], head.logits(features), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hidden["real"], head.penultimate(features), rtol=1e-5, atol=1e-6)
    # Log-probabilities would say nothing: the log-sum-exp of them is 0 whatever x is.
    assert np.ptp(tf.reduce_logsumexp(logits["real"], axis=1)) > 1e-3


def test_every_term_moves_its_network_alone() -> None:
    assert changed(make(), make(unsupervised_weight=0.0)) == {"classifier"}
    assert changed(make(), make(feature_matching="absolute")) == {"generator"}
    assert changed(make(), make(reconstruction_weight=1.0)) == {"generator"}
    assert changed(make(), make(kl_weight=0.0)) == {"encoder"}
    assert changed(make(), make(sampler_weight=0.0)) == {"encoder"}
    assert changed(make(), make()) == set()


def test_who_is_labelled_cannot_be_seen_but_in_x(monkeypatch: pytest.MonkeyPatch) -> None:
    # The released code gives E integers, or zeros, for labelled and logits for unlabelled examples.
    learner = make()
    guessed = learner.guessed(learner.unpack(batch()).examples)
    given: list[tf.Tensor] = []
    call = Encoder.call

    def heard(self: Encoder, examples: tf.Tensor, **kw: Any) -> Any:
        given.append(kw["labels"])
        return call(self, examples, **kw)

    monkeypatch.setattr(Encoder, "call", heard)
    learner.train_step(Batch(tf.constant(IMAGES), guessed, tf.constant(IMAGES)))
    labelled, unlabelled = tf.split(given[0], 2)
    np.testing.assert_array_equal(labelled, unlabelled)


def test_what_is_scored_has_the_predicted_label() -> None:
    # The released code's eval2 hands E the true labels of unlabelled images.
    learner = make()
    floats = learner.unpack(batch()).examples
    mean = learner.encoder(floats, labels=learner.guessed(floats)).mean
    expected = learner.sampler(mean)[:, 0]
    np.testing.assert_allclose(learner.labelled_logits(floats), expected, rtol=1e-6)


def test_the_label_reaches_the_encoder() -> None:
    encoder = Encoder((8, 8, 1), 5, 0.1, classes=10)
    floats = tf.constant(IMAGES[:1], tf.float32) / 255
    one, other = (encoder(floats, labels=tf.constant([label])).mean for label in (0, 1))
    assert np.abs(one - other).max() > 1e-4
    again = Encoder.from_config(encoder.get_config())
    assert again.get_config() == encoder.get_config()


@pytest.fixture(scope="module")
def digits() -> Dataset:
    images = (load_digits().images[:400, :, :, None] * 15.9).astype(np.uint8)
    labels = load_digits().target[:400]
    test = {"test_examples": images[300:], "test_labels": labels[300:]}
    return Dataset.from_arrays(images[:300], labels[:300], **test)


def test_the_autoencoder_and_the_sampler_learn(digits: Dataset) -> None:
    learner = make(width=0.25, latent_dim=16)
    images, labels = digits.train.examples[:], np.asarray(digits.train.labels)
    zeros_and_ones = labels < 2
    means: dict[str, float] = {}
    Trainer(learner, learner.space, tf.distribute.get_strategy(), 32).train(
        images[zeros_and_ones], labels[zeros_and_ones], (1, 2), 300,
        unlabelled=images[~zeros_and_ones],
        progress=lambda step, new: means.update(new),
    )  # fmt: skip
    assert means["reconstruction"] < 0.8 * 16
    assert means["kl"] > 1
    logits = learner.labelled_logits(learner.space.to_float(tf.constant(images))).numpy()
    # Labelled images are told from others: not all at random, as where ids are mixed up.
    rank = np.argsort(np.argsort(-logits))
    assert rank[zeros_and_ones].mean() < 0.7 * rank[~zeros_and_ones].mean()


def test_the_least_labelled_looking_are_asked_for(digits: Dataset) -> None:
    # The released code negates the scores and takes the smallest: the most labelled-looking.
    learner = make()
    active = ActiveLearner(learner, create("aral"), digits, plan=Plan(seed=0, steps=3))
    active.tell(dict(zip(digits.train.ids[:40], digits.train.labels[:40].tolist(), strict=True)))
    active.fit()
    query = active.ask(5)
    rest = [
        row for row, id_ in enumerate(digits.train.ids) if id_ not in set(digits.train.ids[:40])
    ]
    images = learner.space.to_float(tf.constant(digits.train.examples[rest]))
    logits = active.learner.labelled_logits(images).numpy()
    lowest = [digits.train.ids[rest[place]] for place in np.argsort(logits, kind="stable")[:5]]
    assert list(query.ids) == lowest
    np.testing.assert_allclose(query.scores, -np.sort(logits)[:5], rtol=1e-4, atol=1e-5)


def test_other_learners_lack_a_sampler() -> None:
    kind = LEARNERS.get("plain")
    learner = kind.create(CLASSIFIERS.get("mlp")((5,), 3), kind.options_type())
    with pytest.raises(ConfigError, match="needs TellsLabelled"):
        check_needs("aral", create("aral"), learner)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("unsupervised_weight", -1.0, "must be at least 0"),
        ("feature_matching", "cosine", "must be one of squared, absolute"),
        ("reconstruction_weight", 0.0, "must be positive"),
        ("kl_weight", -1.0, "must be at least 0"),
        ("sampler_weight", -1.0, "must be at least 0"),
    ],
)
def test_impossible_options_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**{option: value})
