"""Passes over many examples: what a look sees of a pool, and evaluation of a test set.

Both run in full chunks of one size, so they are traced once, and again only where all examples are
fewer; share a chunk out over the replicas; and read the next chunk while the present one is
worked on: examples need not fit into memory. What comes out does not depend on chunk, order or
replica: the masks are the same for every example and BatchNorm stays in inference mode.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import Arrays
from bgadl_tf.acquisition.evidence import Evidence, Look
from bgadl_tf.core.calibration import Calibration, CalibrationBins
from bgadl_tf.core.types import Labels
from bgadl_tf.data.read_ahead import read_ahead
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.looks import identity
from bgadl_tf.engine.replicas import on_replicas, padded
from bgadl_tf.learners.learner import Learner
from bgadl_tf.models import predictive
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import Masks, Prepared

CHUNK = 1000

VECTORS = 4000
"""The same of many vectors: their networks are small, and starting a kernel would cost as much."""

CHUNK_VALUES = 2**22
"""Pixels or features that a chunk holds at most; large images come fewer at a time."""

STEP = 100
"""Where examples are fewer than a chunk, the chunk is as small a multiple of this as holds them."""


class Evaluation(NamedTuple):
    """How good the classifier is without dropout.

    Fields:
        accuracy: Share of examples whose most probable class is the label; None of no examples.
        nll: Mean negative log-likelihood of the labels, nats; None of no examples.
        calibration: Of its probabilities; None of no examples.
    """

    accuracy: float | None
    nll: float | None
    calibration: Calibration | None


class Scorer:
    """Sees examples through a learner's classifier.

    Args:
        learner: Whose classifier predicts.
        strategy: Whose replicas share each chunk.
        mc_samples: K.
        chunk: Examples at once, over all replicas; rounded up to a multiple of their number. None
            for as many as their size suggests.
    """

    def __init__(
        self,
        learner: Learner,
        strategy: tf.distribute.Strategy,
        mc_samples: int,
        chunk: int | None = None,
    ) -> None:
        replicas = strategy.num_replicas_in_sync
        if chunk is None:
            shape = learner.space.shape
            most = VECTORS if len(shape) == 1 else CHUNK
            chunk = max(1, min(most, CHUNK_VALUES // math.prod(shape)))
        self.learner, self.strategy = learner, strategy
        self.mc_samples = mc_samples
        self.chunk = -(-chunk // replicas) * replicas
        self.score_traces = self.evaluation_traces = 0
        self._prepare = tf.function(self._draw, autograph=False)
        self._traced: dict[object, Callable[..., tuple[tf.Tensor, ...]]] = {}
        self._evaluate = tf.function(self._evaluate_chunk, autograph=False)

    def look(
        self, examples: ExampleSource, mask_seed: int, look: Look, previous: bool = False
    ) -> Generator[Arrays, None, None]:
        """What a look sees of examples, chunk by chunk.

        Args:
            examples: ``[N, *shape]``.
            mask_seed: Seed of the K consistent masks; the exported classifier gives the same
                scores for it.
            look: Runs inside a traced function, which computes only what it touches. One that is
                equal to an earlier one, as bound methods of equal objects are, is not traced anew.
            previous: Through the classifier of the round before.

        Yields:
            What ``look`` returned, an array ``[n, ...]`` each, of the examples of one chunk.

        Raises:
            DataError: An example cannot be read.
        """
        key = (identity(look), previous)
        if key not in self._traced:
            classifier = self.learner.previous if previous else self.learner.classifier

            def run(chunk: tf.Tensor, masks: Masks, kernels: Prepared) -> tuple[tf.Tensor]:
                return self._look_at_chunk(look, classifier, chunk, masks, kernels)

            self._traced[key] = tf.function(run, autograph=False)
        masks = self._prepare(tf.constant(mask_seed, tf.int64), previous)
        with contextlib.closing(self._chunks(examples)) as chunks:
            for chunk, count in chunks:
                seen = self._traced[key](chunk, *masks)
                yield tuple(array.numpy()[:count] for array in seen)

    def evaluate(self, examples: ExampleSource, labels: Labels) -> Evaluation:
        """Accuracy, negative log-likelihood and calibration of the classifier without dropout.

        Args:
            examples: ``[N, *shape]``.
            labels: ``int32 [N]``.

        Raises:
            DataError: An example cannot be read.
        """
        if not len(labels):
            return Evaluation(None, None, None)
        right, log_likelihood = np.empty(len(labels), np.bool_), np.empty(len(labels))
        bins, start = CalibrationBins(), 0
        with contextlib.closing(self._chunks(examples)) as chunks:
            for chunk, count in chunks:
                log_probs = self._evaluate(chunk).numpy()[:count]
                rows = slice(start, start := start + count)
                right[rows] = log_probs.argmax(1) == labels[rows]
                log_likelihood[rows] = log_probs[np.arange(count), labels[rows]]
                bins.add(np.exp(log_probs.max(1)), right[rows])
        return Evaluation(float(np.mean(right)), float(-np.mean(log_likelihood)), bins.result())

    def _chunks(self, examples: ExampleSource) -> Generator[tuple[tf.Tensor, int], None, None]:
        """Full chunks, at least one, and how many examples of each count; zeros fill the last."""
        few = STEP * self.strategy.num_replicas_in_sync
        size = self.chunk
        if len(examples) < 8 * size:  # few: what is filled up would cost as much
            replicas = self.strategy.num_replicas_in_sync
            usual = min(size, -(-CHUNK // replicas) * replicas)
            size = min(usual, -(-max(1, len(examples)) // few) * few)

        def read(start: int) -> tuple[tf.Tensor, int]:
            chunk = examples[start : start + size]
            return tf.constant(padded(chunk, size)), len(chunk)

        return read_ahead(read, range(0, max(1, len(examples)), size))

    def _draw(self, seed: tf.Tensor, previous: bool) -> tuple[Masks, Prepared]:
        """The masks of a seed, and the kernels under each: once for all chunks."""
        classifier = self.learner.previous if previous else self.learner.classifier
        masks = predictive.seeded_masks(classifier.head, seed, self.mc_samples)
        return masks, classifier.head.prepared(masks)

    def _look_at_chunk(
        self,
        look: Look,
        classifier: Classifier,
        examples: tf.Tensor,
        masks: Masks,
        kernels: Prepared,
    ) -> tuple[tf.Tensor, ...]:
        self.score_traces += 1

        def replica(share: tf.Tensor) -> tuple[tf.Tensor, ...]:
            seen = look(Evidence(share, classifier, self.learner, masks, kernels))
            return seen if isinstance(seen, tuple) else (seen,)

        return on_replicas(self.strategy, replica, examples)

    def _evaluate_chunk(self, examples: tf.Tensor) -> tf.Tensor:
        self.evaluation_traces += 1
        return on_replicas(self.strategy, lambda share: (self.learner(share),), examples)[0]
