"""Networks with a task of their own beside the classifier's: a pretext, or an acquisition's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.networks import Networks
from bgadl_tf.learners.optimizers import make_optimizer
from bgadl_tf.models.classifiers.base import Classifier


class Task(Networks):
    """One learning rate for all of its networks, by default of Adam, and a mean of each term.

    Args:
        learning_rate: Of every network's optimizer.
    """

    terms: ClassVar[tuple[str, ...]] = ()
    """Names of what a step reports, each a metric."""

    def __init__(self, learning_rate: float, **kw: Any) -> None:
        super().__init__(**kw)
        self._keep("_rate", learning_rate)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.terms}

    def begin(self, seed: int) -> None:
        """Compile it, and draw its weights and the seed of its noise."""
        self.compile()
        self.draw(lambda detail: seeding.seed_pair(seed, 0, "weights", detail)[0])
        self.noise_seed.assign(seeding.seed_pair(seed, 0, "noise"))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    @property
    def learning_rate(self) -> float:
        rate: float = self._rate
        return rate

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {name: make_optimizer("adam", self.learning_rate) for name in self.networks}

    def report(self, terms: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Add the terms of a step to the running means; the means so far."""
        for name, values in terms.items():
            self.trackers[name].update_state(values)
        return {metric.name: metric.result() for metric in self.metrics}


class PretextTask(Task):
    """Prepares the trunk of a classifier, without labels; never changes the classifier's head.

    Args:
        classifier: Whose trunk is trained.
        learning_rate: Of every network's optimizer.
    """

    def __init__(self, classifier: Classifier, learning_rate: float, **kw: Any) -> None:
        super().__init__(learning_rate, **kw)
        self.classifier = classifier

    def trained_variables(self, name: str) -> list[keras.Variable]:
        if name == "classifier":
            return self.classifier.trunk_variables
        return super().trained_variables(name)

    def inputs_of(self, data: Any) -> tf.Tensor:
        """The examples of a ``Batch``, or of what ``fit`` hands over, as networks see them."""
        is_batch = isinstance(data, Batch)
        x = data.examples if is_batch else keras.utils.unpack_x_y_sample_weight(data)[0]
        return self.classifier.space.to_float(tf.convert_to_tensor(x))
