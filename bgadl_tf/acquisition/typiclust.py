"""TypiClust: the most typical examples of the groups of which nothing is labelled yet.

Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low
Budgets" (ICML 2022). k-means of labelled examples and candidates into |L| + b groups; from the
largest groups without a label the example of the highest typicality,
1 / (mean distance to its K nearest neighbours in the group).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.kmeans import Groups, Vectors, k_means, spans, square_distances
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.representation import check_representation, layer_of, represented
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats, Rows

MEMBERS, MEMBER_VALUES = 8192, 2**24
"""Of a larger group so many are drawn, with so many components in all, and compared."""

LEAST_DISTANCE = 1e-12
"""Stands for the mean distance of examples that are all alike."""


@ACQUISITIONS.register("typiclust")
@dataclass(frozen=True)
class TypiClust:
    """Asks for typical examples, also for the initial set, for which no label is needed.

    The next example is of the group that holds the fewest labelled or chosen ones, and of equal
    groups of the largest; groups smaller than ``smallest`` come when no other is left. Typicality
    is that among all members of the group, labelled or not. Scores are typicalities, and the query
    begins with the highest; an example that is alone in its group has 0. Which of equal ones are
    taken is drawn. ``Query.facts`` holds ``clusters``, how many groups there are.

    Memory: N·F float32 features of candidates and labelled examples, in a temporary file beyond
    1 GiB, and blocks of a fixed size. Time: O(N k F) of k groups for each of at most 30 iterations
    of k-means, and O(min(m, 8192)^2 F) for each group of m that is chosen from.

    Args:
        clusters: Groups at most.
        neighbours: K.
        smallest: Members of a group that is no accident.
        metric: cosine, vectors are brought to length 1, as the paper's self-supervised features
            are: long ones are not odd for their length alone. Or euclidean: as they are.
        layer: inputs, features (the trunk's) or penultimate (what the last dense layer sees).
            Default: inputs where they are vectors, else features.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = True

    clusters: int = 500
    neighbours: int = 20
    smallest: int = 5
    metric: str = "cosine"
    layer: str | None = None

    def __post_init__(self) -> None:
        check_representation("typiclust", self.layer, self.metric)
        for name in ("clusters", "neighbours", "smallest"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"--option typiclust.{name} is {getattr(self, name)}; it must be at least 1"
                )

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        ids, features, labelled = represented(view, size, self.see, self.metric)
        count = min(int(labelled.sum()) + size, self.clusters)
        groups = k_means(features, count, rng)
        sizes = np.bincount(groups, minlength=count)
        held = np.bincount(groups[labelled], minlength=count)
        left = sizes - held
        picks: list[tuple[float, int]] = []
        found: dict[int, Iterator[tuple[float, int]]] = {}
        while len(picks) < size:
            # By smallness, then labels, then size; an empty group is never the first.
            order = np.lexsort((-sizes, held, sizes < self.smallest, left == 0))
            group = int(order[0])
            if group not in found:
                found[group] = self._members(features, groups, labelled, group, rng)
            picks.append(next(found[group]))
            held[group] += 1
            left[group] -= 1
        picks.sort(key=lambda pick: (-pick[0], pick[1]))
        return Query(
            tuple(ids[row] for _, row in picks),
            tuple(score for score, _ in picks),
            facts={"clusters": float((sizes > 0).sum())},
        )

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Vectors ``[n, F]`` float32."""
        return layer_of(evidence, self.layer)

    def _members(
        self,
        features: Floats,
        groups: Groups,
        labelled: NDArray[np.bool_],
        group: int,
        rng: np.random.Generator,
    ) -> Iterator[tuple[float, int]]:
        """Typicalities and rows of a group's candidates, the most typical first.

        Where the group is large, first those of a random part of it, then of the next.
        """
        members: Rows = np.flatnonzero(groups == group)
        most = max(2, min(MEMBERS, MEMBER_VALUES // max(1, features.shape[1])))
        for part in _parts(members, most, rng):
            scores = typicality(features[part], self.neighbours)
            free = ~labelled[part]
            found, rows = scores[free], part[free]
            order = np.lexsort((rng.permutation(len(found)), -found))
            yield from zip(found[order].tolist(), rows[order].tolist(), strict=True)


def _parts(members: Rows, most: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Random parts of about the same size, ``most`` at the most, each in order."""
    count = -(-len(members) // most)
    if count > 1:
        members = rng.permutation(members)
    for number in range(count):
        yield np.sort(members[number::count])


def typicality(features: Floats, neighbours: int) -> Vectors:
    """1 / mean distance to the nearest neighbours, ``[m]``, units 1 / those of the features.

    Args:
        features: Of one group, ``[m, F]``.
        neighbours: K; all m - 1 where there are fewer. Alone, a vector's typicality is 0.
    """
    count = min(neighbours, len(features) - 1)
    if count < 1:
        return np.zeros(len(features))
    # Near to their own mean, distances are exact also where vectors are far from the origin.
    exact = features.astype(np.float64)
    exact -= exact.mean(axis=0)
    scores = np.empty(len(features))
    for rows in spans(len(exact), len(exact)):
        squares = square_distances(exact[rows], exact)
        own = np.arange(rows.start, rows.stop)
        squares[own - rows.start, own] = np.inf
        nearest = np.partition(squares, count - 1, axis=1)[:, :count]
        scores[rows] = 1.0 / np.maximum(np.sqrt(nearest).mean(axis=1), LEAST_DISTANCE)
    return scores
