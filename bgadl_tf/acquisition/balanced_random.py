"""Balanced random selection: of every predicted class as many, drawn at random.

Emam, Chu, Chiang, Czaja, Leapman, Goldblum and Goldstein, "Active Learning at the ImageNet Scale"
(2021), have it as a baseline. Their released code balances by the true labels of the pool, which
no one has who asks for labels; here it is by predicted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query, top


@ACQUISITIONS.register("balanced_random")
@dataclass(frozen=True)
class BalancedRandom:
    """Asks for one example of each predicted class in turn, until there are enough.

    Classes of which none are left are passed over; which of them are asked once more in the last
    turn is random. Draws are made in the order of sorted ids: pool order does not matter. A score
    is a uniform draw in [0, 1) less the turns before. Memory and time: O(N) beside a look.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # Of what is not a number no class is the most probable; top refuses it by its id.
        predicted = np.concatenate([part for (part,) in view.look(self.see)])
        found = dict(zip(view.ids, predicted.tolist(), strict=True))
        ids = sorted(found)
        classes = np.array([found[id_] for id_ in ids])
        # Two, since the best draw of a large class is likely to be above that of a small one.
        within, between = rng.random((2, len(ids)))
        turns = np.full(len(ids), np.nan)
        for number in range(view.classes):
            own = np.flatnonzero(classes == number)
            turns[own[np.argsort(within[own])]] = np.arange(len(own))
        return top(ids, between - turns, size)

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Most probable class, ``[n]``; -1 where probabilities are not numbers."""
        broken = tf.reduce_any(tf.math.is_nan(evidence.log_probs), 1)
        predicted = tf.argmax(evidence.log_probs, axis=1, output_type=tf.int32)
        return tf.where(broken, -1, predicted)
