"""Core-set: examples such that none is far from a labelled one, by greedy k-center.

Sener and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach" (ICLR
2018), Algorithm 1: b times the candidate u of the largest distance to what is labelled or chosen
already, min over l of d(phi(u), phi(l)). The radius of the cover is at most twice the best one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.cover import METRICS, Cover, collected, features_of, penultimate
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError


@ACQUISITIONS.register("coreset")
@dataclass(frozen=True)
class CoreSet:
    """Asks for the candidates that leave every other one near to something labelled.

    Memory: the N·F float32 features of the candidates, in a temporary file beyond 1 GiB, a float64
    copy of them where that takes 1 GiB at most, and blocks of a fixed size; labelled examples are
    seen a chunk at a time. Time: O(N (|L| + b) F).
    Scores are distances at the pick, so they fall from pick to pick; the first of an initial set
    has nothing to be far from, and gets the distance of the second. Which of equal distances is
    taken is drawn. ``Query.facts`` holds ``cover_radius``, the largest distance that is left.

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
        possible = {"metric": METRICS, "layer": ("penultimate", "features")}
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
        candidates = sorted(view.ids)
        found = features_of(view, candidates, self.see, self.metric)
        cover = Cover(collected(found, len(candidates)), rng.permutation(len(candidates)))
        for centres in features_of(view, [*view.labels], self.see, self.metric):
            cover.add(centres)
        picks, squares = [], []
        for _ in range(size):
            row, square = cover.farthest() if cover.has_centres else (cover.central(), np.inf)
            cover.choose(row)
            picks.append(row)
            squares.append(square)
        squares.append(max(0.0, cover.farthest()[1]))
        if np.isinf(squares[0]):
            squares[0] = squares[1]
        distances = [self._distance(square) for square in squares]
        ids = tuple(candidates[row] for row in picks)
        return Query(ids, tuple(distances[:-1]), facts={"cover_radius": distances[-1]})

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Features ``[n, F]`` float32."""
        if self.layer == "penultimate":
            return penultimate(evidence)
        return tf.cast(evidence.features, tf.float32)

    def _distance(self, square: float) -> float:
        return float(square / 2 if self.metric == "cosine" else np.sqrt(square))
