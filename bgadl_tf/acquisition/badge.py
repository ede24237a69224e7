"""BADGE: examples that would change the last layer much, and each in another way.

Ash, Zhang, Krishnamurthy, Langford and Agarwal, "Deep Batch Active Learning by Diverse, Uncertain
Gradient Lower Bounds" (ICLR 2020), Algorithm 1: the gradient of the last layer's kernel if the
predicted class y were the label is, with probabilities p and the last layer's inputs phi::

    g = (p - e_y) phi'

and the batch is what the seeding of k-means++ (Arthur and Vassilvitskii 2007) chooses of all g:
each next one in proportion to its squared distance to the nearest that is chosen already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition import cover
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.cover import collected, features_of, log_probs, penultimate
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.core.types import Floats

Squares = NDArray[np.float64]
"""Squared lengths or distances of gradients, float64 ``[N]``."""

FIRST = ("norm", "draw")


@ACQUISITIONS.register("badge")
@dataclass(frozen=True)
class BADGE:
    """Asks for a batch of large gradients that differ, by k-means++ seeding.

    Gradients ``[N, C F]`` are never made: distances follow from p - e_y and phi. Memory: these,
    N·(C + F) float32, in a temporary file beyond 1 GiB, and blocks of a fixed size. Time: O(N (C +
    F)) per pick, in float64. Draws are made in the order of sorted ids. A score is the length of
    an example's gradient, and the batch is in the order of these: how far it is from what was
    chosen before depends on that and falls with no order.

    Args:
        first: Of the batch: norm, the largest gradient; or draw, each candidate being as likely.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = False

    first: str = "norm"

    def __post_init__(self) -> None:
        if self.first not in FIRST:
            raise ConfigError(
                f"--option badge.first is {self.first!r}; choose from {', '.join(FIRST)}"
            )

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        ids = [*view.ids]
        if size > (count := len(ids)):
            raise PoolError(f"{size} labels were asked for, but only {count} candidates are left")
        found = features_of(view, ids, self.see, "euclidean")
        parts = (factors(seen, view.classes) for seen in found)
        gradients = Gradients(collected(parts, count), view.classes)
        # Rows of the pool in the order of ids: what is drawn does not depend on the pool's.
        order = np.array(sorted(range(count), key=ids.__getitem__))
        lengths, nearest = gradients.squares(), np.full(count, np.inf)
        left = np.ones(count, np.bool_)
        first = lengths[order].argmax() if self.first == "norm" else rng.integers(count)
        picks = [int(order[first])]
        while len(picks) < size:
            newest = picks[-1]
            left[newest] = False
            nearest = np.minimum(nearest, gradients.distances(newest))
            nearest[newest] = 0.0
            # Where only duplicates of what is chosen are left, one is as good as another.
            weights = nearest if nearest.any() else left
            picks.append(int(order[drawn(weights[order], rng)]))
        picks.sort(key=lambda row: (-lengths[row], ids[row]))
        scores = np.sqrt(lengths[picks])
        return Query(tuple(ids[row] for row in picks), tuple(scores.tolist()))

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Log-probabilities and phi beside each other, ``[n, C + F]`` float32."""
        return tf.concat([log_probs(evidence), penultimate(evidence)], 1)


def factors(seen: Floats, classes: int) -> Floats:
    """p - e_y and phi beside each other of log-probabilities and phi, ``[n, C + F]``."""
    probs = np.exp(seen[:, :classes].astype(np.float64))
    rows, predicted = np.arange(len(probs)), probs.argmax(axis=1)
    # 1 - p of the predicted class as a sum: where it is nearly sure, no digits are lost.
    probs[rows, predicted] = 0.0
    probs[rows, predicted] = -probs.sum(axis=1)
    return np.hstack([probs.astype(np.float32), seen[:, classes:]])


class Gradients:
    """Gradients of the last layer, by their two factors.

    Args:
        factors: p - e_y and phi of every candidate, ``[N, C + F]``.
        classes: C.
    """

    def __init__(self, factors: Floats, classes: int) -> None:
        self._factors, self._classes = factors, classes

    def squares(self) -> Squares:
        """Squared lengths, |p - e_y|^2 |phi|^2."""
        return np.concatenate([
            np.square(residuals).sum(axis=1) * np.square(inputs).sum(axis=1)
            for residuals, inputs in self._blocks()
        ])  # fmt: skip

    def distances(self, row: int) -> Squares:
        """Squared distances to one candidate's gradient; of its duplicates exactly 0.

        With r for p - e_y and differences d to the candidate 0, g - g_0 is dr phi' + r_0 dphi'.
        """
        residual, inputs = self._halves(self._factors[row : row + 1])
        parts = []
        for residuals, features in self._blocks():
            dr, dphi = residuals - residual, features - inputs
            parts.append(
                np.square(dr).sum(axis=1) * np.square(features).sum(axis=1)
                + np.square(residual).sum() * np.square(dphi).sum(axis=1)
                + 2.0 * (dr * residual).sum(axis=1) * (features * dphi).sum(axis=1)
            )
        squares: Squares = np.maximum(np.concatenate(parts), 0.0)
        return squares

    def _blocks(self) -> Iterator[tuple[Squares, Squares]]:
        size = max(1, cover.BLOCK_VALUES // self._factors.shape[1])
        for start in range(0, len(self._factors), size):
            yield self._halves(self._factors[start : start + size])

    def _halves(self, factors: Floats) -> tuple[Squares, Squares]:
        exact = factors.astype(np.float64)
        return exact[:, : self._classes], exact[:, self._classes :]


def drawn(weights: NDArray[np.floating | np.bool_], rng: np.random.Generator) -> int:
    """A place drawn in proportion to weights ``[N]``, some of them positive; none of weight 0."""
    sums = np.cumsum(weights, dtype=np.float64)
    place = int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
    # Rounding may land on the sum itself.
    return min(place, int(np.flatnonzero(weights)[-1]))
