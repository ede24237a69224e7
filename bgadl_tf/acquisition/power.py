"""Power acquisition: draws a batch in proportion to powers of another acquisition's scores.

Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal, "Stochastic Batch Acquisition:
A Simple Baseline for Deep Active Learning" (2021): the b largest beta log s + Gumbel noise are b
draws without replacement from s^beta, so that the best of a batch are not all alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView, ScoreAcquisition
from bgadl_tf.acquisition.query import Query, TopScores, top
from bgadl_tf.core.errors import ConfigError


@ACQUISITIONS.register("power")
@dataclass(frozen=True)
class Power:
    """``power:INNER``; candidates whose score is 0 come last.

    Args:
        inner: Gives the scores, none of them negative; PowerBALD is ``power:bald``.
        beta: The power; the larger, the nearer to the plain best.
    """

    inner: ScoreAcquisition
    beta: float = 1.0

    def __post_init__(self) -> None:
        gives_scores = isinstance(self.inner, ScoreAcquisition)
        if not gives_scores or self.inner.may_be_negative:
            raise ConfigError(
                "power wraps acquisitions that give every candidate a score of its own that is "
                f"not negative, such as bald; got {type(self.inner).__name__}"
            )
        if not self.beta > 0:
            raise ConfigError(f"--option power.beta is {self.beta}; it must be positive")

    @property
    def needs(self) -> tuple[type, ...]:
        return self.inner.needs

    @property
    def chooses_initial_set(self) -> bool:
        return self.inner.chooses_initial_set

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # Checks the scores, and says so if one is not finite.
        every = TopScores(view.ids, len(view.ids))
        for (scores,) in view.look(self.inner.score):
            every.add(scores)
        found = dict(zip(*every.query()[:2], strict=True))
        ids = sorted(view.ids)
        scores = np.array([found[id_] for id_ in ids])
        if (scores < 0).any():
            raise ConfigError(
                f"power needs scores that are not negative, and {type(self.inner).__name__} gives "
                f"{scores.min():.3g}; wrap another acquisition"
            )
        noise = rng.gumbel(size=len(ids))
        # Below every logarithm of a float32, so that what has no score comes last, in random order.
        logs = np.log(scores, out=np.full(len(ids), -1e6), where=scores > 0)
        drawn = top(ids, self.beta * logs + noise, size).ids
        return Query(drawn, tuple(found[id_] for id_ in drawn))
