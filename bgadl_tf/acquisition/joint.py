"""What labels of several examples tell together of the weights, one example after another.

With p_k the probabilities of the k-th of K passes, which stand for K equally likely weights w, and
A the examples that are chosen, every configuration a of their labels leaves weights the posterior::

    p(w_k | a) = p_k(a) / sum over k' of p_k'(a),    p_k(a) = product over i in A of p_k(a_i)

and what the label of another example x tells then is the conditional mutual information::

    I(y; w | a) = H(sum over k of p(w_k | a) p_k(y)) - sum over k of p(w_k | a) H(p_k(y))

whose mean over p(a) is I(y_A, y; w) - I(y_A; w): what x adds to the batch (Kirsch, van Amersfoort
and Gal, "BatchBALD", NeurIPS 2019, equations 8 to 12, by the chain rule).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Probs = NDArray[np.float64]
"""Probabilities or entropies, float64."""

BLOCK_VALUES = 2**20
"""Probabilities of configurations and labels that are in memory at a time."""


class JointLabels:
    """Configurations of the labels of the examples chosen so far, and what each says.

    All configurations while there are no more than ``most``; beyond, ``most`` that are drawn from
    p(a), each extended by labels drawn from p(y | a). Every mean over them is then an unbiased
    estimate of the mean over all. Only normalised posteriors are kept, whatever the number of
    examples: nothing underflows, and probabilities of 0 and 1 are as good as any.

    Args:
        passes: Probabilities of K passes of m examples ``[K, m, C]`` under shared masks, summing
            to 1.
        most: Configurations that are kept.
    """

    def __init__(self, passes: Probs, most: int) -> None:
        self._passes, self._most = passes, most
        self._flat = passes.reshape(len(passes), -1)
        self._entropies = np.stack([-xlogx(one).sum(axis=1) for one in passes])  # [K, m]
        self._weights = np.ones(1)  # p(a), [M]
        self._posteriors = np.full((1, len(passes)), 1 / len(passes))  # p(w_k | a), [M, K]
        self.exact = True

    @property
    def count(self) -> int:
        """M, the configurations that are kept."""
        return len(self._weights)

    @property
    def information(self) -> float:
        """I(y_A; w), nats: log K less the mean entropy of the posteriors."""
        left = -(self._weights @ xlogx(self._posteriors).sum(axis=1))
        return max(0.0, float(np.log(len(self._passes)) - left))

    def gains(self) -> Probs:
        """What the label of each example would add, ``[m]``, nats, none of them negative."""
        _, m, C = self._passes.shape
        predictive = np.zeros(m)
        few = max(1, BLOCK_VALUES // (m * C))
        for start in range(0, self.count, few):
            rows = slice(start, start + few)
            mixed = (self._posteriors[rows] @ self._flat).reshape(-1, m, C)
            predictive -= self._weights[rows] @ xlogx(mixed).sum(axis=2)
        expected = (self._weights @ self._posteriors) @ self._entropies
        found: Probs = np.maximum(predictive - expected, 0.0)
        return found

    def add(self, row: int, rng: np.random.Generator) -> None:
        """Add an example to those that are chosen.

        Args:
            row: Its place among the m.
            rng: Draws configurations where there are too many.
        """
        C = self._passes.shape[2]
        own = self._passes[:, row]  # [K, C]
        # p(a, y) of every configuration and every label, one after the other, [M C].
        weights = (self._weights[:, np.newaxis] * (self._posteriors @ own)).ravel()
        possible = np.flatnonzero(weights)
        if len(possible) > self._most:
            self.exact = False
            possible = drawn(weights, self._most, rng)
            self._weights = np.full(self._most, 1 / self._most)
        else:
            self._weights = weights[possible] / weights.sum()
        before, labels = np.divmod(possible, C)
        posteriors = self._posteriors[before] * own.T[labels]
        self._posteriors = posteriors / posteriors.sum(axis=1, keepdims=True)


def drawn(weights: Probs, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places drawn in proportion to weights, systematically: at equal distances, from one draw.

    A place of weight w is drawn count w / sum(w) times in the mean, and never more than one time
    more or less than that; none of weight 0.
    """
    sums = np.cumsum(weights)
    marks = (np.arange(count) + rng.random()) * (sums[-1] / count)
    places = np.searchsorted(sums, marks, side="right")
    # Rounding may land on the sum itself.
    within: NDArray[np.int64] = np.minimum(places, np.flatnonzero(weights)[-1])
    return within


def xlogx(probs: Probs) -> Probs:
    """p log p, 0 where p is 0."""
    return probs * np.log(np.where(probs > 0, probs, 1.0))
