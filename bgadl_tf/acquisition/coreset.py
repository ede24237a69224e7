"""Core-set: examples such that none is far from a labelled one, by greedy k-center.

Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach" (ICLR
2018), Algorithm 1: b times the candidate u of the largest distance to what is labelled or chosen
already, min over l of d(phi(u), phi(l)). The radius of the cover is at most twice the best one.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.core.types import Floats, Id

Distances = NDArray[np.float64]
"""float64, units of the features."""

IN_MEMORY = 2**30
"""Bytes of candidates' features that are kept in memory; more go to a temporary file."""

BLOCK_VALUES = 2**22
"""Features, or distances to centres, that are in memory at a time."""


@ACQUISITIONS.register("coreset")
@dataclass(frozen=True)
class CoreSet:
    """Asks for the candidates that leave every other one near to something labelled.

    Memory: the N·F float32 features of the candidates, in a temporary file beyond 1 GiB, and
    blocks of a fixed size; labelled examples are seen a chunk at a time. Time: O(N (|L| + b) F).
    Scores are distances at the pick, so they fall from pick to pick; the first of an initial set
    has nothing to be far from, and gets the distance of the second. Equal distances are taken in
    pool order. ``Query.facts`` holds ``cover_radius``, the largest distance that is left.

    Args:
        metric: euclidean, or cosine: 1 - cos, and half of |v|^2 where the other one is a vector
            of zeros. Both are computed in float64.
        layer: penultimate, what the last dense layer sees; or features, the trunk's.
        initial: Choose the initial set, too, from the features that the network begins with. Its
            first example is the one nearest to the mean.
    """

    needs: ClassVar[tuple[type, ...]] = ()

    metric: str = "euclidean"
    layer: str = "penultimate"
    initial: bool = False

    def __post_init__(self) -> None:
        possible = {"metric": ("euclidean", "cosine"), "layer": ("penultimate", "features")}
        for name, values in possible.items():
            if getattr(self, name) not in values:
                raise ConfigError(
                    f"--option coreset.{name} is {getattr(self, name)!r}; choose from "
                    f"{', '.join(values)}"
                )

    @property
    def chooses_initial_set(self) -> bool:
        return self.initial

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        if size > len(view.ids):
            raise PoolError(
                f"{size} labels were asked for, but only {len(view.ids)} candidates are left"
            )
        cover = _Cover(_collect(self._features(view, view.ids), len(view.ids)))
        for centres in self._features(view, [*view.labels]):
            cover.add(centres)
        picks, squares = [], []
        for _ in range(size):
            row, square = cover.farthest() if cover.has_centres else (cover.central(), np.inf)
            cover.add(cover.features[row : row + 1])
            cover.exclude(row)
            picks.append(row)
            squares.append(square)
        squares.append(max(0.0, cover.farthest()[1]))
        if np.isinf(squares[0]):
            squares[0] = squares[1]
        distances = [self._distance(square) for square in squares]
        ids = tuple(view.ids[row] for row in picks)
        return Query(ids, tuple(distances[:-1]), facts={"cover_radius": distances[-1]})

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Features ``[n, F]`` float32."""
        seen = evidence.penultimate if self.layer == "penultimate" else evidence.features
        return tf.cast(seen, tf.float32)

    def _features(self, view: PoolView, ids: Sequence[Id]) -> Iterator[Floats]:
        """Features of examples, a chunk at a time; of length 1 for the cosine."""
        start = 0
        for (features,) in view.look(self.see, ids):
            if not (finite := np.isfinite(features).all(axis=1)).all():
                raise ScoreError(
                    f"features of {(~finite).sum()} examples are not finite, the first those of "
                    f"{ids[start + int(finite.argmin())]!r}; the network has diverged: lower the "
                    "learning rate"
                )
            start += len(features)
            if self.metric == "cosine":
                lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
                features = features / np.where(lengths > 0, lengths, 1.0)
            yield features.astype(np.float32)

    def _distance(self, square: float) -> float:
        return float(square / 2 if self.metric == "cosine" else np.sqrt(square))


class _Cover:
    """Distances of candidates to the nearest of the centres that were added.

    Args:
        features: Of the candidates, ``[N, F]``.
    """

    def __init__(self, features: Floats) -> None:
        self.features = features
        self.has_centres = False
        self._squares = np.full(len(features), np.inf)

    def add(self, centres: Floats) -> None:
        """Bring the distances down to those of new centres ``[M, F]``."""
        if not len(centres):
            return
        self.has_centres = True
        exact = centres.astype(np.float64)
        lengths = np.square(exact).sum(axis=1)
        for rows, block in self._blocks(len(centres)):
            found = np.square(block).sum(axis=1)[:, None] + lengths - 2.0 * (block @ exact.T)
            nearest = np.maximum(found.min(axis=1), 0.0)
            self._squares[rows] = np.minimum(self._squares[rows], nearest)

    def exclude(self, row: int) -> None:
        """Never again find this candidate the farthest, not even where all distances are 0."""
        self._squares[row] = -np.inf

    def farthest(self) -> tuple[int, float]:
        """Row and squared distance of the first candidate that is the farthest."""
        row = int(self._squares.argmax())
        return row, float(self._squares[row])

    def central(self) -> int:
        """Row of the first candidate that is nearest to the mean."""
        mean = sum(block.sum(axis=0) for _, block in self._blocks()) / len(self.features)
        return int(
            np.concatenate([np.square(block - mean).sum(axis=1) for _, block in self._blocks()])
            .argmin()
        )  # fmt: skip

    def _blocks(self, centres: int = 1) -> Iterator[tuple[slice, Distances]]:
        size = max(1, BLOCK_VALUES // max(self.features.shape[1], centres))
        for start in range(0, len(self.features), size):
            rows = slice(start, start + size)
            yield rows, self.features[rows].astype(np.float64)


def _collect(chunks: Iterator[Floats], count: int) -> Floats:
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
