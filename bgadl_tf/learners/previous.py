"""The classifier of the round before, for acquisitions that compare."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.networks import Networks
from bgadl_tf.models.classifiers.base import Classifier


class RemembersPrevious(Networks):
    """Networks with a classifier that can remember what it was (``abilities.KeepsPrevious``)."""

    classifier: Classifier

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self._previous: Classifier | None
        self._keep("_previous", None)

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        self.classifier_begins()

    def keep_previous(self) -> None:
        """Begin to remember the classifier of the round before; see ``previous``."""
        if self._previous is None:
            twin = type(self.classifier).from_config(self.classifier.get_config())
            self._keep("_previous", twin)
            self.remember_classifier()

    @property
    def previous_is_kept(self) -> bool:
        """Whether ``keep_previous`` was called."""
        return self._previous is not None

    @property
    def previous(self) -> Classifier:
        """The classifier as it was when the newest round began to train.

        Raises:
            ValueError: ``keep_previous`` was not called.
        """
        previous: Classifier | None = self._previous
        if previous is None:
            raise ValueError("the classifier of the round before is not kept: keep_previous()")
        return previous

    def classifier_begins(self) -> None:
        """What follows when the classifier has got the weights that rounds begin from."""
        self.remember_classifier()

    def remember_classifier(self) -> None:
        """Copy the classifier as it is to ``previous``, if that is kept."""
        if self._previous is not None:
            copy_weights(self.classifier, self._previous)

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        """Every network that a checkpoint holds: those that are trained, teachers, the previous."""
        previous = {} if self._previous is None else {"previous": self._previous}
        return {**self.networks, **previous}


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give a network the weights of another one of the same layers, on any replicas."""
    for theirs, mine in zip(source.weights, target.weights, strict=True):
        mine.assign(np.asarray(theirs.numpy()))
