"""A generator that takes a step only every so often, and one that learns nothing from C."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.adversarial import AdversarialLearner
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner, weights_of

pytestmark = pytest.mark.usefixtures("eager")

IMAGES, LABELS = some_images(20), some_labels(20)
NAMES = ("acgan", "vaeacgan", "vaeacgan-alternating")


def make(name: str, **options: object) -> AdversarialLearner:
    learner = small_learner(name, **options)
    assert isinstance(learner, AdversarialLearner)
    return learner


def train(
    learner: AdversarialLearner, steps: int, strategy: tf.distribute.Strategy | None = None
) -> None:
    strategy = strategy or tf.distribute.get_strategy()
    Trainer(learner, learner.space, strategy, 10).train(IMAGES, LABELS, (1, 2), steps)


def trained(learner: AdversarialLearner) -> dict[str, list[np.ndarray]]:
    return {
        name: [weight.numpy() for weight in network.trainable_variables]
        for name, network in learner.networks.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_steps_every_third_time_and_the_others_always(name: str) -> None:
    learner = make(name, generator_every=3)
    trainer = Trainer(learner, learner.space, tf.distribute.get_strategy(), 10)
    for step in range(4):
        before = trained(learner)
        trainer.train(IMAGES, LABELS, (1, 2), step + 1, step)
        for network, weights in trained(learner).items():
            same = [np.array_equal(a, b) for a, b in zip(before[network], weights, strict=True)]
            waits = network in ("generator", "encoder") and step % 3
            assert all(same) if waits else not all(same), (network, step)
    steps = {name: int(one.iterations.numpy()) for name, one in learner.optimizers.items()}
    assert steps["classifier"] == steps["discriminator"] == 4
    assert steps["generator"] == steps.get("encoder", 2) == 2


def test_its_first_step_is_the_one_it_would_have_taken() -> None:
    always, rarely = make("vaeacgan"), make("vaeacgan", generator_every=2)
    for learner in (always, rarely):
        train(learner, 1)
    for key, value in weights_of(always).items():
        np.testing.assert_allclose(weights_of(rarely)[key], value, atol=1e-6, err_msg=key)


def test_two_replicas_take_the_steps_of_one(mirrored: tf.distribute.Strategy) -> None:
    after = []
    for strategy in (tf.distribute.get_strategy(), mirrored):
        with strategy.scope():
            learner = make("acgan", generator_every=2)
            learner.compile({network: keras.optimizers.SGD(0.001) for network in learner.networks})
        train(learner, 3, strategy=strategy)
        assert int(learner.optimizers["generator"].iterations.numpy()) == 2
        after.append(weights_of(learner))
    for key, value in after[0].items():
        np.testing.assert_allclose(after[1][key], value, rtol=0, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", ["acgan", "vaeacgan"])
def test_without_class_weight_nothing_comes_back_from_the_classifier(name: str) -> None:
    x = tf.Variable(tf.ones((2, 8, 8, 1)))
    for weight, comes_back in ((0.0, False), (1.0, True)):
        learner = make(name, class_weight=weight, warmup_steps=0)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(learner.classifier(learner.for_classifier(x)))
        assert (tape.gradient(loss, x) is not None) is comes_back
        train(learner, 2)
