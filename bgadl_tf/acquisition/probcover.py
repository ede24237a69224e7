"""ProbCover: examples whose balls of radius delta hold the most that nothing labelled is near to.

Yehuda, Dekel, Hacohen and Weinshall, "Active Learning Through a Covering Lens" (NeurIPS 2022): b
times the candidate with the most uncovered examples within delta, which are covered from then on.
delta is the largest at which 95 % of the balls are pure: of one group of k-means alone, with as
many groups as there are classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.balls import degrees, neighbours, side_of
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.kmeans import Groups, k_means, square_distances
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.representation import check_representation, layer_of, represented
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats

BALLS = 2000
"""Of more examples, balls around so many are looked at to find delta."""


@ACQUISITIONS.register("probcover")
@dataclass(frozen=True)
class ProbCover:
    """Asks for centres of dense regions, also for the initial set, for which no label is needed.

    Labelled examples cover what is within delta of them; candidates that are covered may still be
    chosen. Scores are the examples that each newly covers, itself included, and fall from pick to
    pick; equal ones are taken in the order of ids. Once everything is covered, what is left to
    choose is drawn at random, with a score of 0. ``Query.facts`` holds ``delta`` and ``coverage``,
    the share of candidates and labelled examples that is covered in the end.

    Memory: N·F float32 features of candidates and labelled examples, in a temporary file beyond
    1 GiB, a count for each, and blocks of a fixed size: the graph of neighbours is never held.
    Time: O(N^2 F), and at most twice as much again while more becomes covered: where there are
    hundreds of thousands, give ``--candidates``.

    Args:
        delta: In units of the features; 0 to find it by ``purity`` in every round.
        purity: Share of balls that are of one group alone at the delta that is found.
        metric: cosine, vectors are brought to length 1, as the paper's self-supervised features
            are: one radius then suits them all. Or euclidean: as they are.
        layer: inputs, features (the trunk's) or penultimate (what the last dense layer sees).
            Default: inputs where they are vectors, else features.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = True

    delta: float = 0.0
    purity: float = 0.95
    metric: str = "cosine"
    layer: str | None = None

    def __post_init__(self) -> None:
        check_representation("probcover", self.layer, self.metric)
        if not 0 <= self.delta < math.inf:
            raise ConfigError(
                f"--option probcover.delta is {self.delta}; it must be 0 or more, and finite"
            )
        if not 0 < self.purity <= 1:
            raise ConfigError(f"--option probcover.purity is {self.purity}; it must be in (0, 1]")

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        ids, features, labelled = represented(view, size, self.see, self.metric)
        delta = self.delta
        if not delta:
            delta = pure_radius(features, k_means(features, view.classes, rng), self.purity, rng)
        candidates, everyone = np.flatnonzero(~labelled), np.arange(len(ids))
        covered = neighbours(features, everyone, np.flatnonzero(labelled), delta) > 0
        gains = degrees(features, delta)[candidates]
        gains -= neighbours(features, candidates, np.flatnonzero(covered), delta)
        picks: list[int] = []
        scores: list[int] = []
        while len(picks) < size and gains.max() > 0:
            place = int(gains.argmax())
            picks.append(place)
            scores.append(int(gains[place]))
            bare = np.flatnonzero(~covered)
            newly = bare[neighbours(features, bare, candidates[place : place + 1], delta) > 0]
            covered[newly] = True
            gains -= neighbours(features, candidates, newly, delta)
            gains[place] = 0
        rest = np.setdiff1d(np.arange(len(candidates)), picks)
        picks += rng.choice(rest, size - len(picks), replace=False).tolist()
        scores += [0] * (size - len(scores))
        return Query(
            tuple(ids[row] for row in candidates[picks]),
            tuple(float(score) for score in scores),
            facts={"delta": float(delta), "coverage": float(covered.mean())},
        )

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Vectors ``[n, F]`` float32."""
        return layer_of(evidence, self.layer)


def pure_radius(features: Floats, groups: Groups, purity: float, rng: np.random.Generator) -> float:
    """The largest radius at which the balls around examples are mostly of one group; just below it.

    A ball is pure as long as its radius is below the distance to the nearest vector of another
    group, so the radius is a quantile of these distances. Where there is a single group, all
    vectors are alike, and it is 0.

    Args:
        features: ``[N, F]``.
        groups: ``[N]``.
        purity: Share of balls that must be pure.
        rng: Draws the balls, where there are many vectors.
    """
    if (groups == groups[0]).all():
        return 0.0
    centres = np.arange(len(features))
    if len(centres) > BALLS:
        centres = np.sort(rng.choice(centres, BALLS, replace=False))
    squares = np.full(len(centres), np.inf)
    side = side_of(features)
    for start in range(0, len(centres), side):
        rows = slice(start, start + side)
        block = features[centres[rows]].astype(np.float64)
        for first in range(0, len(features), side):
            found = square_distances(block, features[first : first + side].astype(np.float64))
            same = groups[centres[rows]][:, None] == groups[first : first + side]
            found[same] = np.inf
            squares[rows] = np.minimum(squares[rows], found.min(axis=1))
    impure = min(len(squares) - 1, int((1 - purity) * len(squares) + 1e-9))
    radius: float = np.sqrt(np.sort(squares)[impure]).item() * (1 - 1e-6)
    return radius
