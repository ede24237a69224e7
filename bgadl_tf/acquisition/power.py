"""Power acquisition: draws a batch in proportion to powers of another acquisition's scores.

Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal, "Stochastic Batch Acquisition:
A Simple Baseline for Deep Active Learning" (2021): the b largest beta log s + Gumbel noise are b
draws without replacement from s^beta, so that the best of a batch are not all alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.acquisition.gumbel import Drawn
from bgadl_tf.acquisition.query import Scores


@ACQUISITIONS.register("power")
@dataclass(frozen=True)
class Power(Drawn):
    """``power:INNER``; candidates whose score is 0 come last.

    Args:
        inner: Gives the scores, none of them negative; PowerBALD is ``power:bald``.
        beta: The power; the larger, the nearer to the plain best.
    """

    name = "power"

    def log_weights(self, scores: Scores) -> NDArray[np.float64]:
        logs = np.log(scores, out=np.zeros(len(scores)), where=scores > 0)
        weights: NDArray[np.float64] = self.beta * logs
        # So far below every other one that no noise brings it up: what has no score comes last,
        # in random order.
        return np.where(scores > 0, weights, 2.0 * weights.min(initial=0.0) - 1e3)
