"""Batches that are informative and not all alike: the best of another acquisition, spread out.

The shortlist of the factor·b best, then a diverse b of it, is the scheme of Zhdanov, "Diverse
mini-batch Active Learning" (2019); here what spreads is greedy k-center in features, as in
Sener and Savarese 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, Acquisition, PoolView, Wraps
from bgadl_tf.acquisition.cover import METRICS, Cover, collected, features_of, penultimate
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.synthesis import Synthesises
from bgadl_tf.core.errors import ConfigError


@ACQUISITIONS.register("diverse")
@dataclass(frozen=True)
class Diverse(Wraps):
    """``diverse:INNER``; scores of the query are INNER's.

    Of the shortlist, b times the one that is the farthest from everything labelled or chosen, in
    what the last dense layer sees; equal ones in INNER's order. Where nothing is labelled, INNER's
    best is the first. ``Query.facts`` holds those of INNER, and ``cover_radius``, the largest
    distance that is left in the shortlist.

    Args:
        inner: Makes the shortlist; any that asks for examples of the pool.
        factor: Examples in the shortlist for each one that is asked for; 1 is INNER itself in
            another order.
        metric: euclidean or cosine, as of coreset.
    """

    inner: Acquisition
    factor: int = 4
    metric: str = "euclidean"

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ConfigError(f"--option diverse.factor is {self.factor}; it must be at least 1")
        if self.metric not in METRICS:
            raise ConfigError(
                f"--option diverse.metric is {self.metric!r}; choose from {', '.join(METRICS)}"
            )
        innermost: Any = self.inner
        while isinstance(innermost, Wraps):
            innermost = innermost.inner
        if isinstance(innermost, Synthesises):
            raise self._refusal(innermost)

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # What is too much is refused by INNER.
        count = max(size, min(self.factor * size, len(view.ids)))
        shortlist = self.inner.query(view, count, rng)
        if shortlist.examples is not None:
            raise self._refusal(self.inner)
        found = features_of(view, shortlist.ids, penultimate, self.metric)
        cover = Cover(collected(found, count))
        for centres in features_of(view, [*view.labels], penultimate, self.metric):
            cover.add(centres)
        rows = []
        for _ in range(size):
            rows.append(cover.farthest()[0])
            cover.choose(rows[-1])
        square = max(0.0, cover.farthest()[1])
        radius = float(square / 2 if self.metric == "cosine" else np.sqrt(square))
        return Query(
            tuple(shortlist.ids[row] for row in rows),
            tuple(shortlist.scores[row] for row in rows),
            facts={**shortlist.facts, "cover_radius": radius},
        )

    def _refusal(self, inner: Acquisition) -> ConfigError:
        return ConfigError(
            f"diverse chooses among examples of the pool, and {type(inner).__name__} makes new "
            "ones; wrap another acquisition"
        )
