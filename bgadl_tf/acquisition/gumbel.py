"""Batches that are drawn by the scores of another acquisition: what power and softmax share.

The b largest log w + Gumbel noise are b draws without replacement in proportion to the weights w
(Kool, van Hoof and Welling, "Stochastic Beams and Where to Find Them", ICML 2019). Kirsch et al.,
"Stochastic Batch Acquisition: A Simple Baseline for Deep Active Learning" (2021), draw batches so:
the best of a batch are then not all alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import GivesScores, PoolView, Wraps, with_scores
from bgadl_tf.acquisition.query import Query, Scores, TopScores, top
from bgadl_tf.core.errors import ConfigError


@dataclass(frozen=True)
class Drawn(Wraps):
    """Draws a batch by the scores of ``inner``; scores of the query are INNER's.

    Noise is drawn in the order of sorted ids: pool order does not matter.

    Args:
        inner: Gives the scores.
        beta: Of the weights; the larger, the nearer to the plain best.
    """

    name: ClassVar[str]
    """That it is registered under."""

    takes_negative: ClassVar[bool] = False
    """Whether scores may be below 0."""

    inner: GivesScores
    beta: float = 1.0

    def __post_init__(self) -> None:
        gives_scores = isinstance(self.inner, GivesScores)
        if not gives_scores or (self.inner.may_be_negative and not self.takes_negative):
            condition = "" if self.takes_negative else " that is not negative"
            raise ConfigError(
                f"{self.name} wraps acquisitions that give every candidate a score of its own"
                f"{condition}, and got {type(self.inner).__name__}; possible: "
                f"{', '.join(with_scores(self.takes_negative))}"
            )
        if not 0 < self.beta < np.inf:
            raise ConfigError(
                f"--option {self.name}.beta is {self.beta}; it must be positive and finite"
            )

    def log_weights(self, scores: Scores) -> NDArray[np.float64]:
        """Logarithms, up to a constant, of what the candidates are drawn in proportion to.

        Args:
            scores: ``[N]``, finite.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement log_weights()")

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # Checks the scores, and says so if one is not finite.
        every = TopScores(view.ids, len(view.ids))
        for scores in self.inner.scores_of(view, rng):
            every.add(scores)
        found = dict(zip(*every.query()[:2], strict=True))
        ids = sorted(view.ids)
        scores = np.array([found[id_] for id_ in ids])
        if not self.takes_negative and (scores < 0).any():
            raise ConfigError(
                f"{self.name} needs scores that are not negative, and {type(self.inner).__name__} "
                f"gives {scores.min():.3g}; wrap another acquisition"
            )
        noise = rng.gumbel(size=len(ids))
        drawn = top(ids, self.log_weights(scores) + noise, size).ids
        return Query(drawn, tuple(found[id_] for id_ in drawn))
