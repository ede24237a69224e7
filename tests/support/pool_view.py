"""A view of a pool whose predictions are given, for acquisitions by themselves."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import Arrays, M
from bgadl_tf.acquisition.evidence import Look
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Examples, Floats, Id, Label, Shape
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners import initial_weights
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.models import predictive
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead
from bgadl_tf.models.predictive import Predictive

CLASSES, PASSES, FEATURES = 4, 7, 5


@keras.saving.register_keras_serializable("tests")
class Linear(Classifier):
    """One dense layer on vectors, or images row by row: features, and what the last layer sees."""

    ranks = (1, 3)

    def __init__(
        self, shape: Shape, classes: int, dropout: float | None = None, **kw: object
    ) -> None:
        super().__init__(shape, classes, dropout, **kw)
        self.head = StochasticHead(classes, (), self.rates(0.5))
        self.build_for(shape)
        initial_weights.draw(self, len)

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return keras.ops.reshape(examples, (-1, math.prod(self.example_shape)))


@functools.cache
def linear(shape: Shape | int, classes: int) -> Classifier:
    """The classifier of given evidence; its predictions are not the ones that are given."""
    return Linear((shape,) if isinstance(shape, int) else shape, classes)


class GivenLearner:
    """What only a learner can do, of examples whose evidence is given."""

    def labelled_logits(self, examples: tf.Tensor) -> tf.Tensor:
        """Some smooth function of the examples."""
        flat = tf.reshape(examples, (tf.shape(examples)[0], -1))
        return tf.sin(3.0 * flat[:, 0]) + flat[:, 1]


@dataclass(frozen=True)
class GivenEvidence:
    """What an ``Evidence`` shows, from tables.

    Args:
        passes: Log-probabilities ``[K, n, C]``.
        features: ``[n, F]``.
        penultimate: ``[n, P]``.
        log_probs: Log-probabilities without dropout ``[n, C]``.
        moments: Over the passes, of all examples: parts of it do not depend on the cut.
        last_kernel: Of the last dense layer ``[P, C]``.
    """

    passes: Floats
    features: Floats
    penultimate: Floats
    log_probs: Floats
    moments: Predictive
    last_kernel: Floats
    are_images: bool = False
    learner: GivenLearner = field(default_factory=GivenLearner)

    @property
    def inputs(self) -> tf.Tensor:
        """The examples are their features, as vectors or as square images in grey."""
        return tf.reshape(tf.constant(self.features), (-1, *self.shape))

    @property
    def stored(self) -> Examples:
        """The examples as a dataset stores them: images as uint8."""
        inputs: Examples = self.inputs.numpy()
        return np.rint(255 * inputs).astype(np.uint8) if self.are_images else inputs

    @property
    def shape(self) -> Shape:
        """Of an example."""
        count = self.features.shape[1]
        side = math.isqrt(count)
        return (side, side, 1) if self.are_images else (count,)

    @property
    def classifier(self) -> Classifier:
        """Of these examples."""
        return linear(self.shape, self.passes.shape[2])

    @classmethod
    def of_tables(
        cls, passes: Floats, features: Floats, kernel: Floats | None = None
    ) -> GivenEvidence:
        """From passes ``[K, n, C]``, features ``[n, F]`` and a kernel ``[F, C]``."""
        if kernel is None:
            kernel = np.eye(features.shape[1], passes.shape[2], dtype=np.float32)
        moments = Predictive(*map(np.asarray, predictive.from_log_probs(tf.constant(passes))))
        with np.errstate(divide="ignore"):
            log_probs = np.log(moments.mean_probs)
        return cls(passes, features, features, log_probs, moments, kernel)

    def part(self, rows: Sequence[int]) -> GivenEvidence:
        """The same of some of the examples."""
        return GivenEvidence(
            self.passes[:, rows],
            self.features[rows],
            self.penultimate[rows],
            self.log_probs[rows],
            Predictive(*(moment[rows] for moment in self.moments)),
            self.last_kernel,
            self.are_images,
        )


@dataclass(frozen=True)
class GivenView:
    """An ``acquisition.PoolView`` of examples whose evidence is given.

    Args:
        evidence: Of every known id.
        known: Every known id.
        rows: Places of the candidates among the known ids.
        at_once: Examples that are seen at a time.
        labels: What is labelled.
        round: The round that asks.
    """

    evidence: GivenEvidence
    known: Sequence[Id]
    rows: Sequence[int]
    at_once: int = 7
    labels: Mapping[Id, Label] = field(default_factory=dict)
    round: int = 1

    @property
    def ids(self) -> Sequence[Id]:
        return [self.known[row] for row in self.rows]

    @property
    def classes(self) -> int:
        return int(self.evidence.passes.shape[2])

    def look(
        self, look: Look, ids: Sequence[Id] | None = None, previous: bool = False
    ) -> Iterator[Arrays]:
        places = {id_: place for place, id_ in enumerate(self.known)}
        rows = [places[id_] for id_ in (self.ids if ids is None else ids)]
        for start in range(0, len(rows), self.at_once):
            seen: Any = look(self.evidence.part(rows[start : start + self.at_once]))  # type: ignore[arg-type]
            parts = seen if isinstance(seen, tuple) else (seen,)
            yield tuple(np.asarray(part) for part in parts)

    def make(self, networks: Callable[[Classifier], M]) -> M:
        return networks(self.evidence.classifier)

    def train(self, model: Trainable, steps: int, labels: bool = True) -> None:
        self.train_on_labels(model, steps) if labels else self.train_without(model, steps)

    def train_without(self, model: Trainable, steps: int) -> None:
        """On every known example."""
        self._trainer(model, False).train(
            None, None, (1, 2), steps, unlabelled=self.evidence.stored
        )

    def _trainer(self, model: Trainable, labelled: bool) -> Trainer:
        strategy = tf.distribute.get_strategy()
        return Trainer(model, self.evidence.classifier.space, strategy, 4, labelled=labelled)

    def train_on_labels(self, model: Trainable, steps: int) -> None:
        """On the labelled ones, and on the others if the model uses them."""
        if not self.labels:
            raise PoolError("an acquisition wants to train on labels, and there are none yet")
        examples = self.evidence.stored
        labelled = [row for row, id_ in enumerate(self.known) if id_ in self.labels]
        labels = np.array([self.labels[self.known[row]] for row in labelled], np.int32)
        unlabelled = np.delete(examples, labelled, axis=0) if model.uses_unlabelled else None
        self._trainer(model, True).train(
            examples[labelled], labels, (1, 2), steps, unlabelled=unlabelled
        )

    def remember(self, name: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Any:
        return make()


def random_evidence(count: int, labelled: int = 0, side: int | None = None) -> GivenEvidence:
    """Predictions of ``count`` examples, and of some labelled ones, that differ between passes;
    of images of ``side`` pixels a side, or of vectors.
    """
    width = FEATURES if side is None else side**2
    draw = tf.random.stateless_normal
    logits = [draw((PASSES, count, CLASSES), (1, 2)), draw((PASSES, labelled, CLASSES), (5, 6))]
    features = [draw((count, width), (3, 4)), draw((labelled, width), (7, 8))]
    if side is not None:  # pixels
        features = [tf.round(255 * tf.sigmoid(part)) / 255 for part in features]
    kernel = draw((width, CLASSES), (9, 10))
    passes = tf.nn.log_softmax(tf.concat(logits, 1) * 2.0).numpy()
    found = GivenEvidence.of_tables(passes, tf.concat(features, 0).numpy(), kernel.numpy())
    return dataclasses.replace(found, are_images=side is not None)
