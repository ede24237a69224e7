"""Temporal output discrepancy: examples about which the last round of training changed its mind.

Huang, Wang, Xiong, Huang and Dou, "Semi-Supervised Active Learning with Temporal Output
Discrepancy" (ICCV 2021), with f_t the classifier now and f_(t-1) that of the round before::

    1/2 |softmax f_t(x) - softmax f_(t-1)(x)|^2

The released code's form; the paper's is the norm itself, which orders examples alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, GivesScores, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Scores
from bgadl_tf.core.types import Floats
from bgadl_tf.learners.abilities import KeepsPrevious


@ACQUISITIONS.register("tod")
@dataclass(frozen=True)
class TOD(GivesScores):
    """Asks where the two classifiers, both without dropout, differ most.

    In round 1 the round before is the weights that round 0 began from. Where these say nearly the
    same of every class, the largest discrepancies are of examples that the classifier is sure of.
    Scores are in [0, 1]. The candidates are read twice, in step.
    """

    needs = (KeepsPrevious,)

    def scores_of(self, view: PoolView, rng: np.random.Generator) -> Iterator[Scores]:
        looks = (view.look(self.see, previous=previous) for previous in (False, True))
        for (now,), (before,) in zip(*looks, strict=True):
            yield discrepancy(now, before)

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Probabilities ``[n, C]`` of the deterministic pass."""
        return tf.exp(evidence.log_probs)


def discrepancy(now: Floats, before: Floats) -> Floats:
    """Half the squared distance of probabilities ``[n, C]``, ``[n]`` in [0, 1]."""
    scores: Floats = 0.5 * np.square(now - before).sum(axis=1)
    return scores
