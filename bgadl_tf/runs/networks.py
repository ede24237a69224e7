"""The learner of a run from its settings, with its classifier."""

from __future__ import annotations

import dataclasses

from bgadl_tf.core.types import Json
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.runs.user_network import UserNetwork


def make_learner(described: Json, network: UserNetwork | None = None) -> Learner:
    """The learner of a run, not yet compiled; its examples are not needed.

    Args:
        described: The run's ``config.json``, of this version or of the first.
        network: What its classifier is made of, where that is a user's.
    """
    learner_type = LEARNERS.get(described["learner"])
    shape, classes = tuple(example_shape(described)), len(described["class_names"])
    classifier: Classifier
    if network is not None:
        classifier = network.classifier(shape, classes, described)
    else:
        classifier = CLASSIFIERS.get(described["classifier"])(
            shape, classes, described["dropout"], dtype=described["precision"]
        )
    known = {field.name for field in dataclasses.fields(learner_type.options_type)}
    options = {name: value for name, value in described["options"].items() if name in known}
    return learner_type.create(classifier, learner_type.options_type(**options))


def example_shape(described: Json) -> list[int]:
    """Shape of the examples of a run, from its ``config.json``, of this version or of the first."""
    shape: list[int] = described.get("example_shape") or described["image_shape"]
    return shape
