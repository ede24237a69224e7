"""A run goes on from the weights that its network was given, and from no other network's."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import keras
import numpy as np
import pytest

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.plain import Plain
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.fitting import GIVEN
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import Classifier

PLAN = Plan(
    rounds=1, query_size=5, initial_size=20, candidates=60, mc_samples=3, steps=2, batch_size=10
)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


def session(digits: Dataset, folder: Path, units: int = 4) -> ActiveLearner:
    """Of a network that was adapted to its pixels."""
    norm = keras.layers.Normalization(axis=None)
    norm.adapt(np.float32([[0.0, 255.0]]))
    dense = keras.layers.Dense(units)
    model = keras.Sequential([keras.Input(digits.shape), norm, keras.layers.Flatten(), dense])
    learner = Plain(Classifier.from_model(model, digits.classes, pixel_range=(0, 255)))
    learner.compile(optimizer=keras.optimizers.SGD(0.01))
    return ActiveLearner(learner, "bald", digits, folder=folder, plan=PLAN)


def test_it_goes_on_with_the_same_network_alone(digits: Dataset, tmp_path: Path) -> None:
    loop = session(digits, tmp_path)
    with closing(loop.journal):
        loop.step()
        kernel = loop.learner.classifier.trunk.weights[0].numpy()
    loop = session(digits, tmp_path)
    with closing(loop.journal):
        np.testing.assert_array_equal(loop.learner.classifier.trunk.weights[0], kernel)
    with pytest.raises(RunFolderError, match=r"weight 0 .* give the network that the run was begu"):
        session(digits, tmp_path, units=5)


def test_what_an_earlier_version_kept_is_one_clear_line(digits: Dataset, tmp_path: Path) -> None:
    loop = session(digits, tmp_path)
    with closing(loop.journal):
        kept = loop.journal.kept(0, GIVEN)
        assert kept is not None
        # As it was when what a Normalization had learnt were three of its weights.
        learnt = [np.float32(127.5), np.float32(16256.25), np.int32(0)]
        earlier = [*learnt, *(kept[f"classifier/{n}"] for n in range(len(kept)))]
        loop.journal.keep(0, GIVEN, {f"classifier/{n}": array for n, array in enumerate(earlier)})
    with pytest.raises(
        RunFolderError, match=r"classifier began .* with the version of bgadl_tf it"
    ):
        session(digits, tmp_path)
