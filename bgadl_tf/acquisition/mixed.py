"""The mixed scheme: every few rounds, a random batch of the pool instead of another's.

Zhu and Bento, "Generative Adversarial Active Learning" (arXiv:1702.07956, 2017), mix one round of
random sampling into every five of GAAL, so that examples of the pool are learnt, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, Acquisition, PoolView, Wraps
from bgadl_tf.acquisition.query import Query, top
from bgadl_tf.core.errors import ConfigError


@ACQUISITIONS.register("mixed")
@dataclass(frozen=True)
class Mixed(Wraps):
    """``mixed:INNER``; INNER's queries, but a random one after every so many rounds.

    Scores are INNER's; of a random query uniform ones in [0, 1), drawn in the order of sorted ids.

    Args:
        inner: Any acquisition.
        every: Rounds of INNER before each random one.
    """

    inner: Acquisition
    every: int = 5

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ConfigError(f"--option mixed.every is {self.every}; it must be at least 1")

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        if view.round == 0 or view.round % (self.every + 1):
            return self.inner.query(view, size, rng)
        ids = sorted(view.ids)
        return top(ids, rng.random(len(ids)), size)
