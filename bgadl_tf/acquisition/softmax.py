"""Softmax acquisition: draws a batch in proportion to exponentials of another one's scores.

Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal, "Stochastic Batch Acquisition:
A Simple Baseline for Deep Active Learning" (2021): the b largest beta s + Gumbel noise are b draws
without replacement from exp(beta s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.acquisition.gumbel import Drawn
from bgadl_tf.acquisition.query import Scores


@ACQUISITIONS.register("softmax")
@dataclass(frozen=True)
class Softmax(Drawn):
    """``softmax:INNER``; scores may be negative, and one of 0 is drawn like any other.

    Differences between scores that are far below 1 / beta hardly matter: the mutual information
    of C classes is at most log C nats, so that beta = 1 is not far from drawing at random.

    Args:
        inner: Gives the scores; softmax BALD is ``softmax:bald``.
        beta: The inverse temperature; the larger, the nearer to the plain best.
    """

    name = "softmax"
    takes_negative = True

    def log_weights(self, scores: Scores) -> NDArray[np.float64]:
        return self.beta * scores.astype(np.float64)
