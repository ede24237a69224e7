"""Weights that rounds begin from, of networks that know nothing of this package, too."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.engine.snapshot import Snapshot
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.initial_weights import is_drawn
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models.classifiers.base import Classifier
from tests.support.examples import some_images, some_labels
from tests.support.learners import reseed, small_learner, weights_of

SHAPE = (32, 32, 3)


def mobile_net() -> keras.Model:
    return keras.applications.MobileNetV2(SHAPE, alpha=0.35, include_top=False, weights=None)


def efficient_net() -> keras.Model:
    return keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=SHAPE, include_preprocessing=False
    )


def conv_next() -> keras.Model:
    return keras.applications.ConvNeXtTiny(include_top=False, weights=None, input_shape=SHAPE)


@pytest.mark.parametrize(
    "model",
    [
        mobile_net,
        pytest.param(efficient_net, marks=pytest.mark.slow),
        pytest.param(conv_next, marks=pytest.mark.slow),
    ],
)
def test_a_foreign_network_goes_back_bit_by_bit(
    model: Callable[[], keras.Model], one_device: tf.distribute.Strategy
) -> None:
    trunk = model()
    given = trunk.get_weights()
    learner = Plain(Classifier.from_model(trunk, 10, pixel_range=(0, 255)))
    learner.compile(optimizer=keras.optimizers.SGD(0.01))
    head = learner.classifier.head.stages[-1].kernel.numpy()
    reseed(learner)
    assert not is_drawn(learner.classifier)
    own = learner.classifier.trunk.get_weights()
    for old, weight in zip(given, own, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert not np.array_equal(learner.classifier.head.stages[-1].kernel.numpy(), head)
    snapshot, before = Snapshot.take(learner.networks, ["classifier"]), weights_of(learner)
    Trainer(learner, learner.space, one_device, 4).train(
        some_images(8, SHAPE), some_labels(8), (1, 2), 2
    )
    after = weights_of(learner)
    moved = [key for key in before if not np.array_equal(before[key], after[key])]
    # Kernels and moving statistics alike.
    assert len(moved) > 0.5 * len(before)
    snapshot.restore(learner.networks, ["classifier"])
    for key, value in weights_of(learner).items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)


def test_only_the_networks_that_are_named_go_back() -> None:
    learner = small_learner("acgan")
    names = ["classifier", "generator"]
    snapshot, before = Snapshot.take(learner.networks, names), weights_of(learner)
    assert {key.partition("/")[0] for key in snapshot.arrays} == {*names}
    for network in learner.networks.values():
        for weight in network.weights:
            weight.assign(weight + 1.0)
    snapshot.restore(learner.networks, ["generator"])
    for key, value in weights_of(learner).items():
        assert np.array_equal(value, before[key]) is key.startswith("generator"), key


def test_it_does_not_change_with_the_weights() -> None:
    learner = small_learner("plain")
    snapshot = Snapshot.take(learner.networks, ["classifier"])
    before = {key: value.copy() for key, value in snapshot.arrays.items()}
    for weight in learner.classifier.weights:
        weight.assign_add(tf.ones_like(weight.value))
    for key, value in before.items():
        np.testing.assert_array_equal(snapshot.arrays[key], value)


def test_networks_of_another_shape_are_refused() -> None:
    snapshot = Snapshot.take(small_learner("plain").networks, ["classifier"])
    with pytest.raises(ValueError, match=r"weight 0 of network 'classifier' has shape .*, kept is"):
        snapshot.restore(small_learner("plain", "gal_cnn").networks, ["classifier"])
    more = Snapshot({**snapshot.arrays, f"classifier/{len(snapshot.arrays)}": np.ones(3)})
    with pytest.raises(ValueError, match=r"'classifier' has \d+ weights, kept are more"):
        more.restore(small_learner("plain").networks, ["classifier"], grown=True)
    with pytest.raises(ValueError, match="kept is None"):
        Snapshot({}).restore(small_learner("plain").networks, ["classifier"])


def test_on_two_replicas(mirrored: tf.distribute.Strategy) -> None:
    with mirrored.scope():
        learner = small_learner("plain")
    snapshot, before = Snapshot.take(learner.networks, ["classifier"]), weights_of(learner)
    Trainer(learner, learner.space, mirrored, 4).train(some_images(8), some_labels(8), (1, 2), 2)
    snapshot.restore(learner.networks, ["classifier"])
    for weight, value in zip(learner.classifier.weights, before.values(), strict=True):
        for replica in mirrored.experimental_local_results(weight.value):
            np.testing.assert_array_equal(replica, value)
