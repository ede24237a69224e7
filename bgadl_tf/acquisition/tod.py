"""Temporal output discrepancy: examples about which the last round of training changed its mind.

Huang, Wang, Xiong, Huang and Dou, "Semi-Supervised Active Learning with Temporal Output
Discrepancy" (ICCV 2021), with f_t the classifier now and f_(t-1) that of the round before::

    1/2 |softmax f_t(x) - softmax f_(t-1)(x)|^2

The released code's form; the paper's is the norm itself, which orders examples alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query, TopScores
from bgadl_tf.core.types import Floats
from bgadl_tf.learners.abilities import KeepsPrevious


@ACQUISITIONS.register("tod")
@dataclass(frozen=True)
class TOD:
    """Asks where the two classifiers, both without dropout, differ most; ties by pool order.

    In round 1 the round before is the weights that round 0 began from. Where these say nearly the
    same of every class, the largest discrepancies are of examples that the classifier is sure of.
    Scores are in [0, 1]. The candidates are read twice, in step.
    """

    needs: ClassVar[tuple[type, ...]] = (KeepsPrevious,)
    chooses_initial_set: ClassVar[bool] = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        best = TopScores(view.ids, size)
        looks = (view.look(self.see, previous=previous) for previous in (False, True))
        for (now,), (before,) in zip(*looks, strict=True):
            best.add(discrepancy(now, before))
        return best.query()

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Probabilities ``[n, C]`` of the deterministic pass."""
        return tf.exp(evidence.log_probs)


def discrepancy(now: Floats, before: Floats) -> Floats:
    """Half the squared distance of probabilities ``[n, C]``, ``[n]`` in [0, 1]."""
    scores: Floats = 0.5 * np.square(now - before).sum(axis=1)
    return scores
