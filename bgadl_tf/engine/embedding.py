"""Images through a frozen backbone, chunk by chunk: their features, and those of views of them.

All chunks are of one size, so that both networks are traced once, and what comes out is the same
whether the work was interrupted in between or not. The next chunk is read while the present one is
worked on.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.core.types import Floats, Rows
from bgadl_tf.data.contents import Digests
from bgadl_tf.data.embeddings.store import Lacking
from bgadl_tf.data.read_ahead import read_ahead
from bgadl_tf.data.source import ExampleSource, gather
from bgadl_tf.engine.replicas import on_replicas, padded
from bgadl_tf.learners.view_draws import draws_of
from bgadl_tf.learners.views import Views
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.spaces import space_of

CHUNK = 128
"""Images at once, over all replicas."""

FOLDED_BYTES = 2**28
"""Weights of larger networks are not made constants of a graph, which must stay below 2 GiB."""

CHUNK_VALUES = 2**21
"""Pixels that a chunk holds at most; large images come fewer at a time. Chunks are powers of two:
on CPUs with AVX-512 one of 85 images takes a fifth longer for each than one of 32 or 128."""


class Features(NamedTuple):
    """What a backbone makes of the images of one chunk.

    Fields:
        rows: ``[n]`` of the images.
        features: float32 ``[n, F]``; None where they were not asked for.
        views: float32 ``[n, F]`` by the number of the view.
    """

    rows: Rows
    features: Floats | None
    views: Mapping[int, Floats]


class Embedder:
    """Computes features.

    Args:
        backbone: Frozen, made in the scope of the strategy.
        strategy: Whose replicas share each chunk.
        views: Draws views of images; None where none will be asked for.
        chunk: Images at once, over all replicas; rounded up to a multiple of their number. None
            for as many as their size suggests.
        folded: Whether TensorFlow may merge weights that never change, as of a BatchNorm and the
            convolution before it: a quarter faster for EfficientNet, and other by the rounding of
            float32 than the network itself. For features that are rounded to float16 anyway.
    """

    def __init__(
        self,
        backbone: Backbone,
        strategy: tf.distribute.Strategy,
        views: Views | None = None,
        chunk: int | None = None,
        folded: bool = False,
    ) -> None:
        shape, replicas = backbone.example_shape, strategy.num_replicas_in_sync
        if chunk is None:
            most = max(1, min(CHUNK, CHUNK_VALUES // math.prod(shape)))
            chunk = 2 ** int(math.log2(most))
        self.chunk = -(-chunk // replicas) * replicas
        self.traces = 0
        self._backbone, self._strategy, self._space = backbone, strategy, space_of(shape)
        self._views = views
        size = sum(weight.numpy().nbytes for weight in backbone.weights)
        self._weights: tuple[list[NDArray[Any]], ...] | None = None
        if folded and size <= FOLDED_BYTES:
            kinds = backbone.trainable_variables, backbone.non_trainable_variables
            self._weights = tuple([weight.numpy() for weight in kind] for kind in kinds)
        self._see = tf.function(self._features, autograph=False)
        self._see_view = tf.function(self._features_of_view, autograph=False)

    def __call__(
        self, images: ExampleSource, digests: Digests, lacking: Lacking
    ) -> Generator[Features, None, None]:
        """Features of some images, in that order.

        Args:
            images: ``uint8 [N, H, W, D]``.
            digests: ``[N]``, which decide the views.
            lacking: Which images, and what of them.

        Raises:
            DataError: An image cannot be read.
        """
        rows = lacking.rows

        def read(start: int) -> tuple[Rows, tf.Tensor]:
            piece = rows[start : start + self.chunk]
            return piece, tf.constant(padded(gather(images, piece), self.chunk))

        pieces = read_ahead(read, range(0, len(rows), self.chunk))
        with contextlib.closing(pieces):
            for piece, chunk in pieces:
                count = len(piece)
                features = self._see_features(chunk)[:count] if lacking.features else None
                views = {view: self._of_view(chunk, digests[piece], view) for view in lacking.views}
                yield Features(piece, features, views)

    def _see_features(self, chunk: tf.Tensor) -> Floats:
        found: Floats = self._see(chunk).numpy()
        return found

    def _of_view(self, chunk: tf.Tensor, digests: Digests, view: int) -> Floats:
        assert self._views is not None
        draws = padded(draws_of(digests, view, self._views.draws), self.chunk)
        found: Floats = self._see_view(chunk, tf.constant(draws)).numpy()[: len(digests)]
        return found

    def _features(self, chunk: tf.Tensor) -> tf.Tensor:
        self.traces += 1

        def run(images: tf.Tensor) -> tuple[tf.Tensor]:
            return (self._seen(images),)

        return on_replicas(self._strategy, run, chunk)[0]

    def _features_of_view(self, chunk: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        self.traces += 1
        views = self._views
        assert views is not None

        def run(images: tf.Tensor, own: tf.Tensor) -> tuple[tf.Tensor]:
            return (self._seen(views.of(self._space.to_float(images), own)),)

        return on_replicas(self._strategy, run, chunk, draws)[0]

    def _seen(self, images: tf.Tensor) -> tf.Tensor:
        """Features of images, inside a graph."""
        if self._weights is None:
            return tf.cast(self._backbone(images), tf.float32)
        # Constants of the graph, not variables: only those are merged.
        weights = [[tf.constant(weight) for weight in kind] for kind in self._weights]
        features, _ = self._backbone.stateless_call(*weights, images, training=False)
        return tf.cast(features, tf.float32)
