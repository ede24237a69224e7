"""The fused optimizers take the steps of Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.learners import fused_optimizers

PAIRS = [
    (keras.optimizers.Adam, fused_optimizers.Adam, {"beta_1": 0.5}),
    (keras.optimizers.Adadelta, fused_optimizers.Adadelta, {"rho": 0.9}),
    (keras.optimizers.SGD, fused_optimizers.MomentumSGD, {"momentum": 0.9}),
    (keras.optimizers.SGD, fused_optimizers.MomentumSGD, {"momentum": 0.9, "nesterov": True}),
    (keras.optimizers.SGD, fused_optimizers.MomentumSGD, {"momentum": 0.0}),
    (keras.optimizers.Adam, fused_optimizers.Adam, {"amsgrad": True}),
]

each_optimizer = pytest.mark.parametrize(
    ("theirs", "ours", "options"),
    PAIRS,
    ids=["adam", "adadelta", "sgd", "nesterov", "sgd-without-momentum", "amsgrad"],
)


def steps(optimizer: keras.optimizers.Optimizer, weights: list[keras.Variable]) -> None:
    """Ten steps from gradients that are always the same."""
    optimizer.build(weights)

    @tf.function
    def step(number: tf.Tensor) -> None:
        gradients = [
            tf.random.stateless_normal(weight.shape, tf.stack([number, position]))
            for position, weight in enumerate(weights)
        ]
        optimizer.apply_gradients(zip(gradients, weights, strict=True))

    for number in tf.range(10):
        tf.distribute.get_strategy().run(step, args=(number,))


def some_weights() -> list[keras.Variable]:
    return [keras.Variable(np.full(shape, 0.5, np.float32)) for shape in ((4, 3), (3,))]


@each_optimizer
def test_the_same_weights_and_states(
    theirs: type[keras.optimizers.Optimizer],
    ours: type[keras.optimizers.Optimizer],
    options: dict[str, float],
) -> None:
    expected, got = theirs(0.1, **options), ours(0.1, **options)
    plain, fused = some_weights(), some_weights()
    steps(expected, plain)
    steps(got, fused)
    assert len(expected.variables) == len(got.variables)
    for want, have in zip([*plain, *expected.variables], [*fused, *got.variables], strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-6)


@each_optimizer
def test_on_two_replicas(
    theirs: type[keras.optimizers.Optimizer],
    ours: type[keras.optimizers.Optimizer],
    options: dict[str, float],
    mirrored: tf.distribute.Strategy,
) -> None:
    alone = some_weights()
    # Keras adds up the gradients of the replicas.
    steps(theirs(0.1, **options), alone)
    with mirrored.scope():
        weights = some_weights()
        optimizer = ours(0.1, **options)
        optimizer.build(weights)

    @tf.function
    def step(number: tf.Tensor) -> None:
        def replica() -> None:
            gradients = [
                0.5 * tf.random.stateless_normal(weight.shape, tf.stack([number, position]))
                for position, weight in enumerate(weights)
            ]
            optimizer.apply_gradients(zip(gradients, weights, strict=True))

        mirrored.run(replica)

    for number in tf.range(10):
        step(number)
    for want, have in zip(alone, weights, strict=True):
        np.testing.assert_allclose(have.numpy(), want, rtol=1e-4, atol=1e-5)


def test_it_is_saved_under_its_own_name() -> None:
    config = keras.saving.serialize_keras_object(fused_optimizers.Adam(0.1))
    assert isinstance(keras.saving.deserialize_keras_object(config), fused_optimizers.Adam)
