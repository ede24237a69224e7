"""Greedy k-center: how far candidates are from the nearest of some centres.

Gonzalez, "Clustering to Minimize the Maximum Intercluster Distance" (1985), as Sener and Savarese
2018, Algorithm 1, use it: whoever is the farthest becomes the next centre.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import PoolView
from bgadl_tf.acquisition.evidence import Evidence, Look
from bgadl_tf.acquisition.query import largest
from bgadl_tf.core.errors import ScoreError
from bgadl_tf.core.types import Floats, Id, Rows

METRICS = ("euclidean", "cosine")

Distances = NDArray[np.float64]
"""float64, units of the features."""

IN_MEMORY = 2**30
"""Bytes of candidates' features that are kept in memory; more go to a temporary file."""

BLOCK_VALUES = 2**22
"""Features, or distances to centres, that are in memory at a time."""


def penultimate(evidence: Evidence) -> tf.Tensor:
    """What the last dense layer sees, ``[n, P]`` float32."""
    return tf.cast(evidence.penultimate, tf.float32)


def log_probs(evidence: Evidence) -> tf.Tensor:
    """Log-probabilities without dropout ``[n, C]``, finite where they are numbers."""
    # Of probability 0 the logarithm is not; of this one the exponential is 0.
    return tf.where(tf.math.is_inf(evidence.log_probs), -1e4, evidence.log_probs)


def features_of(view: PoolView, ids: Sequence[Id], look: Look, metric: str) -> Iterator[Floats]:
    """Features of examples, a chunk at a time; of length 1 for the cosine.

    Args:
        view: Of the pool.
        ids: Any known ones.
        look: From evidence to features ``[n, F]``.
        metric: One of ``METRICS``.

    Raises:
        ScoreError: They are not finite; the message names the first example.
    """
    start = 0
    for (features,) in view.look(look, ids):
        if not (finite := np.isfinite(features).all(axis=1)).all():
            raise ScoreError(
                f"features of {(~finite).sum()} examples are not finite, the first those of "
                f"{ids[start + int(finite.argmin())]!r}; the network has diverged: lower the "
                "learning rate"
            )
        start += len(features)
        if metric == "cosine":
            lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
            features = features / np.where(lengths > 0, lengths, 1.0)
        yield features.astype(np.float32)


class Cover:
    """Distances of candidates to the nearest of the centres that were added.

    Memory: beside the features a float64 copy of them, where it takes ``IN_MEMORY`` bytes at most,
    three numbers a candidate, and blocks of a fixed size.

    Args:
        features: Of the candidates, ``[N, F]``.
        ties: Which of equal candidates come first, ``[N]``; None: by row.
    """

    def __init__(self, features: Floats, ties: Rows | None = None) -> None:
        self.features = features
        self._ties = np.arange(len(features)) if ties is None else ties
        self.has_centres = False
        self._squares = np.full(len(features), np.inf)
        # Every pick reads all of them: converted once, where that fits.
        fits = 2 * features.nbytes <= IN_MEMORY
        self._exact = features.astype(np.float64) if fits else features
        blocks = (np.square(block).sum(axis=1) for _, block in self._blocks())
        self._lengths = np.concatenate([np.zeros(0), *blocks])

    def add(self, centres: Floats) -> None:
        """Bring the distances down to those of new centres ``[M, F]``."""
        if not len(centres):
            return
        self.has_centres = True
        exact = centres.astype(np.float64)
        lengths = np.square(exact).sum(axis=1)
        for rows, block in self._blocks(len(centres)):
            if len(exact) == 1:
                found = self._lengths[rows] + lengths - 2.0 * (block @ exact[0])
            else:
                found = self._lengths[rows, None] + lengths - 2.0 * (block @ exact.T)
                found = found.min(axis=1)
            nearest = np.maximum(found, 0.0)
            self._squares[rows] = np.minimum(self._squares[rows], nearest)

    def choose(self, row: int) -> None:
        """Make a candidate a centre, and never find it the farthest again, not even where all
        distances are 0.
        """
        self.add(self.features[row : row + 1])
        self._squares[row] = -np.inf

    def farthest(self) -> tuple[int, float]:
        """Row and squared distance of the first candidate that is the farthest."""
        row = largest(self._squares, self._ties)
        return row, float(self._squares[row])

    def central(self) -> int:
        """Row of the first candidate that is nearest to the mean."""
        mean = sum(block.sum(axis=0) for _, block in self._blocks()) / len(self.features)
        squares = [np.square(block - mean).sum(axis=1) for _, block in self._blocks()]
        return largest(-np.concatenate(squares), self._ties)

    def _blocks(self, centres: int = 1) -> Iterator[tuple[slice, Distances]]:
        size = max(1, BLOCK_VALUES // max(self.features.shape[1], centres))
        for start in range(0, len(self.features), size):
            rows = slice(start, start + size)
            yield rows, self._exact[rows].astype(np.float64, copy=False)


def collected(chunks: Iterator[Floats], count: int) -> Floats:
    """Chunks as one array ``[count, F]``, in memory or in a file that vanishes with it."""
    first = next(chunks)
    shape = (count, first.shape[1])
    everything = itertools.chain([first], chunks)
    if first.itemsize * count * first.shape[1] <= IN_MEMORY:
        features, start = np.empty(shape, np.float32), 0
        for chunk in everything:
            features[start : (start := start + len(chunk))] = chunk
        return features
    with tempfile.TemporaryFile(prefix="bgadl_tf_") as file:
        # Written, not mapped for writing: a full disk is then an error and not the end of the
        # process.
        for chunk in everything:
            chunk.tofile(file)
        file.flush()
        return np.memmap(file, np.float32, "r", shape=shape)
