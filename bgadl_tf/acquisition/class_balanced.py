"""Class-balanced active learning: informative batches that bring the classes level.

Bengar, van de Weijer, Lopez Fuentes and Raducanu, "Class-Balanced Active Learning for Image
Classification" (WACV 2022), equation 3: over batches z of b candidates the smallest::

    z'U + lambda |P'z - Omega|_1,    Omega_c = max(0, (|L| + b) / C - n_c)

with P the predicted probabilities, n_c the labelled examples of class c of all |L|, and U here
minus the scores of any acquisition; the paper has minus the entropy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bgadl_tf.acquisition.acquisition import (
    ACQUISITIONS,
    GivesScores,
    PoolView,
    Wraps,
    with_scores,
)
from bgadl_tf.acquisition.balance import BalancedChoice, Costs
from bgadl_tf.acquisition.cover import collected, features_of, log_probs
from bgadl_tf.acquisition.query import Query, TopScores
from bgadl_tf.core.errors import ConfigError, PoolError

SCALES = ("range", "none")


@ACQUISITIONS.register("class_balanced")
@dataclass(frozen=True)
class ClassBalanced(Wraps):
    """``class_balanced:INNER``; scores of the query are INNER's, the largest first.

    Only as balanced as predictions are right: probabilities are those of the pass without dropout,
    and no label of the pool is read. Memory: N·C float32, in a temporary file beyond 1 GiB. Time:
    O(N C) per pick and per exchange that is tried, 6 b of them at most. Which of equal candidates
    are taken is drawn. ``Query.facts`` holds ``imbalance``, |P'z - Omega|_1 of the batch in
    examples. A candidate of which INNER knows nothing, as ``dfal`` where the classifier is flat,
    costs as much as the least informative of the others.

    Args:
        inner: Gives the scores, negative ones too.
        balance: lambda. The paper's .6 of 10 classes and 2 of 100, which are of entropies, are .26
            and .43 of their largest range.
        scale: Of U: range, minus the scores over the difference of the largest and the smallest of
            the candidates', so that lambda is the same for every INNER: an example more or less
            than is wanted of one class then weighs lambda of that difference; or none.
        exact: Candidates up to which the batch is found by SciPy's mixed-integer program, stopped
            after 2,000 nodes: 0.1 to 2 s for 500 candidates of 10 to 50 classes. Of more by greedy
            choice and exchanges: 1.3 s for 100 of 20,000 candidates of 10 classes.
    """

    inner: GivesScores
    balance: float = 0.3
    scale: str = "range"
    exact: int = 500

    def __post_init__(self) -> None:
        if not isinstance(self.inner, GivesScores):
            raise ConfigError(
                "class_balanced wraps acquisitions that give every candidate a score of its own, "
                f"and got {type(self.inner).__name__}; possible: {', '.join(with_scores())}"
            )
        if not 0 <= self.balance < np.inf:
            raise ConfigError(
                f"--option class_balanced.balance is {self.balance}; it must be 0 or more, and "
                "finite"
            )
        if self.scale not in SCALES:
            raise ConfigError(
                f"--option class_balanced.scale is {self.scale!r}; choose from {', '.join(SCALES)}"
            )
        if self.exact < 0:
            raise ConfigError(
                f"--option class_balanced.exact is {self.exact}; it must be 0 or more"
            )

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        if size > (count := len(view.ids)):
            raise PoolError(f"{size} labels were asked for, but only {count} candidates are left")
        # Checks the scores, and says so if one is not finite.
        every = TopScores(view.ids, count)
        for scores in self.inner.scores_of(view, rng):
            every.add(scores)
        found = dict(zip(*every.query()[:2], strict=True))
        ids = sorted(found)
        ids = [ids[row] for row in rng.permutation(count)]
        costs = -np.array([found[id_] for id_ in ids], np.float64)
        if (known := costs < -self.inner.no_score).any():
            costs = np.minimum(costs, costs[known].max())
        if self.scale == "range":
            costs /= np.ptp(costs) or 1.0
        parts = (np.exp(part) for part in features_of(view, ids, log_probs, "euclidean"))
        probs = collected(parts, count)
        choice = BalancedChoice(costs, probs, wanted(view, size), self.balance)
        rows = choice.solved(size) if count <= self.exact else choice.greedy(size)
        ranked = sorted((ids[row] for row in rows), key=lambda id_: (-found[id_], id_))
        return Query(
            tuple(ranked),
            tuple(found[id_] for id_ in ranked),
            facts={"imbalance": choice.imbalance(rows)},
        )


def wanted(view: PoolView, size: int) -> Costs:
    """Omega: how many more of each class would bring all level, ``[C]``."""
    known = Counter(view.labels.values())
    counts = np.array([known[number] for number in range(view.classes)])
    level: Costs = np.maximum((counts.sum() + size) / view.classes - counts, 0.0)
    return level
