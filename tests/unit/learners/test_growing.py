"""Networks that tell more classes apart keep what fits of what they knew."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from bgadl_tf.learners.growing import overlaid, with_classes
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.plain import Plain
from bgadl_tf.models.classifiers.base import Classifier
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner


@pytest.mark.parametrize("name", LEARNERS.names())
def test_every_learner_grows_by_classes(name: str) -> None:
    learner = small_learner(name)
    learner.run_eagerly = True
    learner.fit(some_images(16), some_labels(16), batch_size=8, shuffle=False, verbose=0)
    grown = with_classes(learner, 12)
    assert grown.classifier.classes == 12
    assert [*grown.optimizers] == [*learner.optimizers]
    for network, old in learner.saved_networks.items():
        pairs = zip(old.variables, grown.saved_networks[network].variables, strict=True)
        for before, after in pairs:
            value = np.asarray(before.numpy())
            corner = tuple(slice(0, size) for size in value.shape)
            np.testing.assert_array_equal(np.asarray(after.numpy())[corner], value)
    # It learns and generates the new classes, too.
    labels = np.full(16, 11, np.int32)
    grown.run_eagerly = True
    grown.fit(some_images(16), labels, batch_size=8, shuffle=False, verbose=0)
    assert grown(some_images(2)).shape == (2, 12)


def test_a_users_model_grows_with_the_weights_of_its_trunk() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    learner = Plain(Classifier.from_model(model, classes=3))
    learner.compile(optimizer="adam")
    grown = with_classes(learner, 4)
    old, new = learner.classifier.head.stages[-1], grown.classifier.head.stages[-1]
    np.testing.assert_array_equal(new.kernel.numpy()[:, :3], old.kernel.numpy())
    np.testing.assert_array_equal(new.kernel.numpy()[:, 3], 0)
    assert [*grown.optimizers] == ["classifier"]


def test_the_previous_classifier_grows_along() -> None:
    learner = small_learner("plain")
    learner.keep_previous()
    assert with_classes(learner, 11).previous.classes == 11


def test_old_values_are_a_corner_of_the_new() -> None:
    old, new = np.arange(6.0).reshape(2, 3), -np.ones((4, 3))
    np.testing.assert_array_equal(overlaid(old, new), [[0, 1, 2], [3, 4, 5], [-1] * 3, [-1] * 3])
    np.testing.assert_array_equal(new, -np.ones((4, 3)))
    # The other way round, for what fewer classes began with.
    np.testing.assert_array_equal(overlaid(old, np.zeros((1, 3))), [[0, 1, 2]])


@pytest.mark.parametrize("shape", [(3, 4), (2,), (2, 3, 1)])
def test_weights_of_another_network_do_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"weights are .*, those that are kept are \(2, 3\)"):
        overlaid(np.zeros((2, 3)), np.zeros(shape))
