"""BatchBALD: the batch whose labels together tell most of the weights.

Kirsch, van Amersfoort and Gal, "BatchBALD: Efficient and Diverse Batch Acquisition for Deep
Bayesian Active Learning" (NeurIPS 2019), Algorithm 1: greedily, b times the candidate that adds
most to the mutual information of the batch's labels and the weights, I(y_1, ..., y_b; w). What two
candidates tell alike counts once, so that duplicates are not asked for twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.joint import JointLabels
from bgadl_tf.acquisition.query import Query, TopScores, by_lot
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.abilities import MCDropout

DIGITS = 10
"""Decimals of a gain, nats, that count: what differs by less is equal, and taken by BALD, and which
of equal ones by that is drawn.
"""


@ACQUISITIONS.register("batchbald")
@dataclass(frozen=True)
class BatchBALD:
    """Asks for the batch with the largest joint mutual information, over the best by BALD.

    What a candidate adds is never more than its BALD, so that those left out of the best by BALD
    could only be chosen after what the ones within add had come down to their BALD. K masks, which
    are shared by all candidates, are told apart by log K nats: with 20 passes a batch can tell no
    more than 3.0 nats, and once it does the rest is taken in the order of BALD. Take more passes
    for large batches.

    Memory: 16·K·m·C bytes for the passes of m candidates (1,000, 20 passes, 10 classes: 3 MB; 100
    passes, 100 classes: 160 MB), 24·K·M for M configurations, and blocks of a fixed size. Time: a
    look at BALD of the pool, and per pick O(K M m C) for products, in float64, and M m C
    logarithms: as the options are, with 20 passes of 10 classes, 0.3 s a pick on one core, so 3 s
    for 10 labels and 30 s for 100 however large the pool; with 100 classes 1.7 s a pick.

    Scores are what each example adds, nats, and fall; where configurations are drawn, a score is
    at most the one before, as it truly is. ``Query.facts`` holds ``joint_information``, what the
    batch tells.

    Args:
        candidates: m, the best by BALD, among which the batch is found; at least b of them.
        configurations: M, of labels of the batch: all of them up to so many, beyond so many that
            are drawn.
    """

    needs: ClassVar[tuple[type, ...]] = (MCDropout,)
    chooses_initial_set: ClassVar[bool] = False

    candidates: int = 1000
    configurations: int = 1000

    def __post_init__(self) -> None:
        for name in ("candidates", "configurations"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"--option batchbald.{name} is {value}; it must be at least 1")

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # What is too much is refused there.
        count = max(size, min(self.candidates, len(view.ids)))
        best = TopScores(view.ids, count, by_lot(rng))
        for (found,) in view.look(self.score):
            best.add(found)
        ids = best.query().ids
        parts = [part.transpose(1, 0, 2) for (part,) in view.look(self.see, ids)]
        probs = np.exp(np.concatenate(parts, axis=1), dtype=np.float64)
        probs /= probs.sum(axis=2, keepdims=True)
        joint = JointLabels(probs, self.configurations)
        left = np.ones(len(ids), np.bool_)
        picks: list[int] = []
        added: list[float] = []
        for _ in range(size):
            gains = joint.gains()
            # Of equal ones the first, which is the best by BALD.
            row = int(np.where(left, gains.round(DIGITS), -1.0).argmax())
            joint.add(row, rng)
            left[row] = False
            picks.append(row)
            added.append(min(float(gains[row]), added[-1] if added else np.inf))
        return Query(
            tuple(ids[row] for row in picks),
            tuple(added),
            facts={"joint_information": joint.information},
        )

    def score(self, evidence: Evidence) -> tf.Tensor:
        """BALD, ``[n]``, nats."""
        return scores.mutual_information(evidence.moments)

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Log-probabilities of the passes, ``[n, K, C]``."""
        return tf.transpose(evidence.passes, (1, 0, 2))
