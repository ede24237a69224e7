"""Learners that fit a test: narrow networks, weights from a seed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras
import numpy as np
import pytest

from bgadl_tf.core import seeding
from bgadl_tf.core.types import Shape
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.networks import Networks
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier

ALIKE = {
    "duplicate": "two_views",
    "noise": "two_views",
    "dfal": "plain",
    "vaeacgan-alternating": "vaeacgan",
}
"""Learners that differ from another one in what they add to a batch or to the labelled set, or in
the order of their networks' steps, alone: their conformance is checked by the slow tests, the other
one's by all."""


def every_learner(without: Collection[str] = ()) -> list[Any]:
    """Each registered name but some, as a parameter of a fixture."""
    marks = pytest.mark.slow
    names = [name for name in LEARNERS if name not in without]
    return [pytest.param(name, marks=marks) if name in ALIKE else name for name in names]


def small_learner(
    name: str,
    classifier: str | keras.Model = "lenet",
    shape: Shape = (8, 8, 1),
    dropout: float | None = None,
    **options: object,
) -> Learner:
    """A compiled learner: narrow networks, seeded weights.

    Of a model, its layers' own initial weights.
    """
    learner_type = LEARNERS.get(name)
    if "width" in {*learner_type.options_type.__dataclass_fields__}:
        options = {"width": 0.1, "latent_dim": 5, **options}
    learner = learner_type.create(
        _classifier(classifier, shape, dropout), learner_type.options_type(**options)
    )
    learner.compile()
    reseed(learner)
    return learner


def _classifier(kind: str | keras.Model, shape: Shape, dropout: float | None) -> Classifier:
    if isinstance(kind, keras.Model):
        return Classifier.from_model(kind, 10, dropout=dropout)
    width = {"width": 0.125} if kind.startswith("resnet") else {}
    return CLASSIFIERS.get(kind)(shape, 10, dropout, **width)


def reseed(model: Networks, seed: int = 0) -> None:
    """Weights, optimizer states and noise of a learner from a seed."""
    model.draw(lambda detail: seeding.seed_pair(seed, 0, "weights", detail)[0])
    model.noise_seed.assign((seed, 7))


def weights_of(model: Networks) -> dict[str, np.ndarray]:
    """Every weight of every network, by network and number."""
    return {
        f"{name}/{number}": weight.numpy()
        for name, network in model.networks.items()
        for number, weight in enumerate(network.weights)
    }
