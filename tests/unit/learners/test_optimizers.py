"""Any optimizer of Keras' goes back to the state that it began with."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners import fused_optimizers
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.optimizers import make_optimizer, state_of
from tests.support.examples import some_labels, some_vectors
from tests.support.learners import small_learner, weights_of

MADE: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    # Their accumulators begin at 0.1 and the product of Nadam at 1.
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "nadam": lambda: keras.optimizers.Nadam(0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "adamax": lambda: keras.optimizers.Adamax(0.1),
    "lion": lambda: keras.optimizers.Lion(0.1),
    "adamw": lambda: keras.optimizers.AdamW(0.1, clipnorm=1.0),
    "amsgrad": lambda: fused_optimizers.Adam(0.1, amsgrad=True),
    "schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9
    ),
    "average": lambda: keras.optimizers.Adam(0.1, use_ema=True),
}


@pytest.mark.parametrize("name", MADE)
def test_reset_it_takes_the_same_steps_again(name: str) -> None:
    learner = small_learner("plain", "mlp", (12,))
    learner.compile(optimizer=MADE[name]())
    optimizer = learner.optimizers["classifier"]
    begun = [variable.numpy() for variable in optimizer.variables]
    network = learner.classifier.get_weights()
    batch = Batch(tf.constant(some_vectors(20)), tf.constant(some_labels(20)))
    step = tf.function(learner.train_step)
    ends = []
    for _ in range(2):
        for _ in range(3):
            step(batch)
        ends.append(weights_of(learner))
        changed = [
            not np.array_equal(old, variable.numpy())
            for old, variable in zip(begun, optimizer.variables, strict=True)
        ]
        assert any(changed)
        learner.reset_optimizers(("classifier", "a network without one"))
        for old, variable in zip(begun, optimizer.variables, strict=True):
            np.testing.assert_array_equal(variable.numpy(), old, err_msg=variable.path)
        learner.classifier.set_weights(network)
    for key, value in ends[0].items():
        np.testing.assert_array_equal(ends[1][key], value, err_msg=key)


def test_a_reset_of_one_network_leaves_the_optimizers_of_others_alone() -> None:
    learner = small_learner("acgan")
    for optimizer in learner.optimizers.values():
        optimizer.iterations.assign(3)
    learner.reset_optimizers(("generator",))
    steps = {name: int(o.iterations.numpy()) for name, o in learner.optimizers.items()}
    assert steps == {"classifier": 3, "generator": 0, "discriminator": 3}


def test_of_a_state_that_is_one_number_throughout_that_is_kept() -> None:
    optimizer = keras.optimizers.Adagrad(0.1)
    optimizer.build([keras.Variable(np.ones((1000, 10), np.float32))])
    assert sum(value.size for value in state_of(optimizer)) == len(optimizer.variables)


def test_names_and_rates_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown optimizer 'adagrad'; known: sgd, adam"):
        make_optimizer("adagrad", 0.1)
    with pytest.raises(ConfigError, match="learning rate is 0; it must be positive"):
        make_optimizer("adam", 0)
