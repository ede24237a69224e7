"""Simulates a person by a network, for examples that nobody has ever labelled.

What an acquisition has synthesised has no held-back label. A network of all classes of the dataset,
those included that the task leaves out, is trained apart, once a run, on every label there is. Like
a person it declines an example that is none of the task's classes, or of which it is not sure.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Floats, Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.source import ExampleSource, gather
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.loop.journal import Journal
from bgadl_tf.models.classifiers.base import CLASSIFIERS

logger = logging.getLogger(__name__)

NAME = "oracle_network"
"""What a journal calls the weights."""

WEIGHT = "weight_"
DEFAULT = {3: "lenet", 1: "mlp"}
"""Classifiers of images and of vectors; small, since every run trains one."""

DROPOUT = 0.1
"""Its rate: little, for a network that is to be sure of what it knows."""

CHUNK = 256
"""Examples that are looked at together."""


@dataclass(frozen=True)
class NetworkSettings:
    """How the network is made; of no part of the plan, since nothing that learns sees it.

    Args:
        classifier: A registered one; None for ``lenet``, and ``mlp`` of vectors.
        steps: Of its training.
        batch_size: Of each of them.
        sure: Probability from which on it answers.
    """

    classifier: str | None = None
    steps: int = 1500
    batch_size: int = 100
    sure: float = 0.9

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"{name} of the oracle network is {value}; must be at least 1")
        if not 0 < self.sure <= 1:
            raise ConfigError(f"sure of the oracle network is {self.sure}; must be in (0, 1]")


class NetworkOracle:
    """A ``oracle.Oracle`` of what is no example of the dataset; of the others it says nothing.

    It is the same in every run on a dataset, whatever the seed. Labelled examples are all read into
    memory when it is trained.

    Args:
        dataset: Whose classes it knows, all training labels being known.
        journal: Keeps its weights.
        state: Number of what the dataset is made of by now.
        settings: How it is made.
    """

    source = "network"

    def __init__(
        self, dataset: Dataset, journal: Journal, state: int, settings: NetworkSettings
    ) -> None:
        self.dataset, self._journal, self._state = dataset, journal, state
        self._settings = settings
        self._network: Learner | None = None

    def answer(self, query: Query, examples: ExampleSource) -> Mapping[Id, Label | None]:
        """See ``Oracle.answer``; answers about examples of the dataset are left to others."""
        rows = [row for row, id_ in enumerate(query.ids) if id_ not in self.dataset.train]
        if not rows:
            return {}
        found = self.log_probs(gather(examples, np.array(rows, np.int64)))
        labels = found.argmax(1)
        known = (found.max(1) >= np.log(self._settings.sure)) & (labels < self.dataset.classes)
        return {
            query.ids[row]: int(label) if answers else None
            for row, label, answers in zip(rows, labels, known, strict=True)
        }

    def log_probs(self, examples: ExampleSource) -> Floats:
        """Of all its classes, the task's first, ``[n, C + M]``, of examples as they are stored."""
        if self._network is None:
            self._network = self._kept_or_trained()
        network = self._network
        parts = [
            network(tf.constant(examples[np.arange(start, stop)])).numpy()
            for start, stop in _chunks(len(examples))
        ]
        found: Floats = np.concatenate(parts)
        return found

    @property
    def classes(self) -> int:
        """C of the task, and M that it leaves out."""
        rest = self.dataset.left_out
        return self.dataset.classes + (0 if rest is None else int(rest.labels.max()) + 1)

    def _kept_or_trained(self) -> Learner:
        network = self._made()
        kept = self._journal.kept(self._state, NAME)
        if kept is None:
            self._train(network)
            weights = {f"{WEIGHT}{n}": w.numpy() for n, w in enumerate(network.classifier.weights)}
            self._journal.keep(self._state, NAME, weights)
        else:
            for number, weight in enumerate(network.classifier.weights):
                weight.assign(kept[f"{WEIGHT}{number}"])
        return network

    def _made(self) -> Learner:
        shape = self.dataset.shape
        name = self._settings.classifier or DEFAULT[len(shape)]
        plain = LEARNERS.get("plain")
        classifier = CLASSIFIERS.get(name)(shape, self.classes, DROPOUT)
        network = plain.create(classifier, plain.options_type())
        network.compile()
        network.draw(lambda detail: seeding.seed_pair(0, 0, "weights", f"{NAME}/{detail}")[0])
        network.noise_seed.assign(seeding.seed_pair(0, 0, "noise", NAME))
        return network

    def _train(self, network: Learner) -> None:
        train, rest = self.dataset.train, self.dataset.left_out
        rows = np.flatnonzero(train.labels != UNLABELLED)
        examples, labels = [gather(train.examples, rows)], [train.labels[rows]]
        if rest is not None:
            examples.append(rest.in_memory().examples[:])
            labels.append(rest.labels + np.int32(self.dataset.classes))
        trainer = Trainer(
            network, network.space, tf.distribute.get_strategy(), self._settings.batch_size
        )
        trainer.train(
            np.concatenate(examples),
            np.concatenate(labels),
            seeding.seed_pair(0, 0, "order", NAME),
            self._settings.steps,
        )
        self._network = network
        self._say_how_good()

    def _say_how_good(self) -> None:
        test = self.dataset.test
        found = self.log_probs(test.examples)
        answered = (found.max(1) >= np.log(self._settings.sure)) & (
            found.argmax(1) < self.dataset.classes
        )
        right = (found.argmax(1) == test.labels)[answered]
        logger.warning(
            "synthesised examples are labelled by a network of %d classes; of the test set it "
            "answers %.1f%%, and %.1f%% of these rightly; it declines the others",
            self.classes, 100 * answered.mean(), 100 * (right.mean() if len(right) else 0),
        )  # fmt: skip


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    for start in range(0, count, CHUNK):
        yield start, min(start + CHUNK, count)
