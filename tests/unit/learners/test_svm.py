"""The support vector machine against scikit-learn's, and its loss by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from sklearn.svm import SVC

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.svm import SVM
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.examples import some_images, some_labels
from tests.support.learners import reseed, small_learner


def test_the_hinge_by_hand() -> None:
    margins = tf.constant([[2.0, 0.5, 1.5], [2.0, 0.5, 1.5], [9.0, 0.0, 0.0]])
    terms = losses.multiclass_hinge(margins, tf.constant([0, 1, 0]))
    np.testing.assert_allclose(terms, [0.5, 2.5, 0.0])
    moved = losses.multiclass_hinge(tf.nn.log_softmax(margins), tf.constant([0, 1, 0]))
    np.testing.assert_allclose(moved, [0.5, 2.5, 0.0], atol=1e-5)


@pytest.mark.parametrize(("label", "sign"), [(0, -1.0), (1, 1.0)])
def test_of_two_classes_it_is_the_binary_hinge(label: int, sign: float) -> None:
    margins = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    found = losses.multiclass_hinge(tf.constant(margins), tf.fill([50], label))
    expected = np.maximum(0, 1 - sign * (margins[:, 1] - margins[:, 0]))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_label_however_far_ahead_has_no_gradient() -> None:
    margins = tf.Variable([[30.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        term = losses.multiclass_hinge(margins, tf.constant([0]))
    np.testing.assert_array_equal(tape.gradient(term, margins), np.zeros((1, 3)))


def test_it_finds_the_machine_of_scikit_learn(one_device: tf.distribute.Strategy) -> None:
    rng = np.random.default_rng(0)
    labels = (np.arange(60) % 2).astype(np.int32)
    vectors = (rng.normal(size=(60, 3)) + labels[:, None] * [1.5, -1.0, 0.0]).astype(np.float32)
    gamma = 0.05
    # gamma / 4 |w|^2 + mean hinge, in the units of 1/2 |w|^2 + C sum of hinges.
    expected = SVC(kernel="linear", C=2 / (60 * gamma)).fit(vectors, labels)
    learner = SVM.create(
        CLASSIFIERS.get("linear")((3,), 2), SVM.options_type(gamma=gamma, learning_rate=0.005)
    )
    learner.compile()
    reseed(learner)
    trainer = Trainer(learner, learner.space, one_device, 60)
    trainer.train(vectors, labels, (1, 2), 3000)
    learner.optimizers["classifier"].learning_rate = 0.0005
    trainer.train(vectors, labels, (1, 2), 600)
    log_probs = np.asarray(learner(vectors))
    found = log_probs[:, 1] - log_probs[:, 0]
    np.testing.assert_allclose(found, expected.decision_function(vectors), atol=0.05)
    kernel = learner.classifier.head.last_kernel().numpy()
    np.testing.assert_allclose(kernel[:, 0], -kernel[:, 1], atol=0.02)  # from wherever it began


def test_the_loss_is_the_hinge_and_the_penalty_once(one_device: tf.distribute.Strategy) -> None:
    images, labels = some_images(16), some_labels(16)
    learner = small_learner("svm", "linear", gamma=0.5, batch_augmentation=2)
    kernel = learner.classifier.head.last_kernel().numpy()
    hinge = losses.multiclass_hinge(learner(images), labels).numpy().mean()
    found = learner.train_on_batch(images, labels, return_dict=True)
    expected = hinge + 0.25 * np.square(kernel).sum()
    assert found["classification"] == found["loss"] == pytest.approx(expected, rel=1e-5)
    again = learner.evaluate(images, labels, verbose=0, return_dict=True)
    assert again["classification"] < expected


def test_a_large_penalty_shrinks_the_kernel() -> None:
    lengths = []
    for gamma in (0.0, 10.0):
        learner = small_learner("svm", "linear", gamma=gamma, learning_rate=0.01)
        learner.fit(some_images(40), some_labels(40), epochs=50, verbose=0)
        lengths.append(np.linalg.norm(learner.classifier.head.last_kernel()))
    assert lengths[1] < 0.5 * lengths[0]


def test_a_penalty_below_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--option gamma is -1; must be at least 0"):
        LEARNERS.get("svm").options_type(gamma=-1)
