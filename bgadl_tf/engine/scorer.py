"""Passes over many images: MC-dropout prediction of a pool, evaluation of a test set.

Both run in full chunks of one size, so they are traced once, and again only where all images are
fewer; share a chunk out over the replicas; and read the next chunk while the present one is
worked on: images need not fit into memory. What comes out does not depend on chunk, order or
replica: the masks are the same for every image and BatchNorm stays in inference mode.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.data.read_ahead import read_ahead
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.learners.base import Learner, to_float
from bgadl_tf.models import predictive
from bgadl_tf.models.mc_dropout import Masks
from bgadl_tf.models.predictive import Predictive

CHUNK = 1000

STEP = 100
"""Where images are fewer than a chunk, the chunk is as small a multiple of this as holds them."""

Reduction = Callable[[Predictive], tf.Tensor | tuple[tf.Tensor, ...]]


class Evaluation(NamedTuple):
    """Attributes:
    accuracy: Share of images whose most probable class is the label.
    nll: Mean negative log-likelihood of the labels, nats.
    """

    accuracy: float
    nll: float


class Scorer:
    """Predicts with a learner's classifier.

    Args:
        learner: Whose classifier predicts.
        strategy: Whose replicas share each chunk.
        mc_samples: K.
        chunk: Images at once, over all replicas; rounded up to a multiple of their number.
    """

    def __init__(
        self,
        learner: Learner,
        strategy: tf.distribute.Strategy,
        mc_samples: int,
        chunk: int = CHUNK,
    ) -> None:
        replicas = strategy.num_replicas_in_sync
        self.learner, self.strategy = learner, strategy
        self.mc_samples = mc_samples
        self.chunk = -(-chunk // replicas) * replicas
        self.score_traces = self.evaluation_traces = 0
        self._prepare = tf.function(self._draw, input_signature=[tf.TensorSpec((), tf.int64)])
        self._reduced: dict[Reduction, Callable[..., tuple[tf.Tensor, ...]]] = {}
        self._evaluate = tf.function(self._evaluate_chunk, autograph=False)

    def scores(
        self, images: ExampleSource, mask_seed: int, score: Callable[[Predictive], tf.Tensor]
    ) -> Generator[Floats, None, None]:
        """Scores of images under the K masks of a seed, chunk by chunk.

        Args:
            images: ``uint8 [N, H, W, D]``.
            mask_seed: Seed of the consistent masks; the exported classifier gives the same
                scores for it.
            score: Of ``acquisition.scores``. It runs inside the traced function, which then
                computes only the moments that it looks at.

        Yields:
            Float32 ``[n]`` of the images of one chunk, in their order.

        Raises:
            DataError: An image cannot be read.
        """
        with contextlib.closing(self._predictions(images, mask_seed, score)) as parts:
            for (part,) in parts:
                yield part

    def predict(self, images: ExampleSource, mask_seed: int) -> Predictive:
        """Predictive distribution of images, float32 arrays over N; otherwise as ``scores``."""
        parts = zip(*self._predictions(images, mask_seed, tuple), strict=True)
        return Predictive(*(np.concatenate(arrays) for arrays in parts))

    def _predictions(
        self, images: ExampleSource, mask_seed: int, reduction: Reduction
    ) -> Generator[list[Floats], None, None]:
        """What ``reduction`` makes of the predictive distribution, an array each, by chunk."""
        if reduction not in self._reduced:
            self._reduced[reduction] = tf.function(
                functools.partial(self._reduce_chunk, reduction), autograph=False
            )
        reduced = self._reduced[reduction]
        masks = self._prepare(tf.constant(mask_seed, tf.int64))
        with contextlib.closing(self._chunks(images)) as chunks:
            for chunk, count in chunks:
                yield [array.numpy()[:count] for array in reduced(chunk, *masks)]

    def evaluate(self, images: ExampleSource, labels: Labels) -> Evaluation:
        """Accuracy and negative log-likelihood of the classifier without dropout.

        Args:
            images: ``uint8 [N, H, W, D]``.
            labels: ``int32 [N]``.

        Raises:
            DataError: An image cannot be read.
        """
        right, log_likelihood = np.empty(len(labels), np.bool_), np.empty(len(labels))
        start = 0
        with contextlib.closing(self._chunks(images)) as chunks:
            for chunk, count in chunks:
                log_probs = self._evaluate(chunk).numpy()[:count]
                rows = slice(start, start := start + count)
                right[rows] = log_probs.argmax(1) == labels[rows]
                log_likelihood[rows] = log_probs[np.arange(count), labels[rows]]
        return Evaluation(accuracy=float(np.mean(right)), nll=float(-np.mean(log_likelihood)))

    def _chunks(self, images: ExampleSource) -> Generator[tuple[tf.Tensor, int], None, None]:
        """Full chunks, at least one, and how many images of each count; zeros fill the last."""
        few = STEP * self.strategy.num_replicas_in_sync
        size = min(self.chunk, -(-max(1, len(images)) // few) * few)

        def read(start: int) -> tuple[tf.Tensor, int]:
            chunk = images[start : start + size]
            count = len(chunk)
            if count < size:
                chunk = np.pad(chunk, ((0, size - count), (0, 0), (0, 0), (0, 0)))
            return tf.constant(chunk), count

        return read_ahead(read, range(0, max(1, len(images)), size))

    def _draw(self, seed: tf.Tensor) -> tuple[Masks, tf.Tensor | None]:
        """The masks of a seed, and the kernel under each: once for all chunks."""
        head = self.learner.classifier.head
        masks = predictive.seeded_masks(head, seed, self.mc_samples)
        return masks, head.masked_kernels(masks)

    def _reduce_chunk(
        self, reduction: Reduction, images: tf.Tensor, masks: Masks, kernels: tf.Tensor | None
    ) -> tuple[tf.Tensor, ...]:
        self.score_traces += 1
        classifier = self.learner.classifier

        def replica(share: tf.Tensor) -> tuple[tf.Tensor, ...]:
            features = classifier.features(to_float(share))
            reduced = reduction(predictive.predict(classifier.head, features, masks, kernels))
            return reduced if isinstance(reduced, tuple) else (reduced,)

        return self._on_replicas(replica, images)

    def _evaluate_chunk(self, images: tf.Tensor) -> tf.Tensor:
        self.evaluation_traces += 1
        return self._on_replicas(lambda share: (self.learner(share),), images)[0]

    def _on_replicas(
        self, run: Callable[[tf.Tensor], tuple[tf.Tensor, ...]], images: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Run on each replica's share of a chunk; whole results, in the order of the chunk."""
        share = images.shape[0] // self.strategy.num_replicas_in_sync

        def own_share() -> tuple[tf.Tensor, ...]:
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group * share
            parts = run(tf.ensure_shape(images[first : first + share], (share, *images.shape[1:])))
            if context.num_replicas_in_sync == 1:
                return tuple(parts)
            return tuple(context.all_gather(part, axis=0) for part in parts)

        results = self.strategy.run(own_share)
        return tuple(self.strategy.experimental_local_results(result)[0] for result in results)
