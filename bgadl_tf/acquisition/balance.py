"""Which b of N candidates cost least, where what the batch is expected to hold has a price, too.

Bengar, van de Weijer, Lopez Fuentes and Raducanu, "Class-Balanced Active Learning for Image
Classification" (WACV 2022), equation 3: with costs U, class probabilities P and wanted counts
Omega of the classes, over z in {0, 1}^N with sum z = b::

    z'U + lambda |P'z - Omega|_1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from bgadl_tf.core.types import Floats

Costs = NDArray[np.float64]
"""Costs, or expected counts of classes; float64."""

BLOCK_VALUES = 2**22
"""Probabilities that are made float64 at a time."""

SWEEPS = 5
"""How often every chosen candidate is offered for exchange, at most."""

NODES = 2000
"""Nodes of the search tree after which the exact solver is stopped."""

LEAST_GAIN = 1e-9
"""An exchange that lowers the objective by less is rounding."""


class BalancedChoice:
    """The program, and two ways to solve it.

    Args:
        costs: U, ``[N]``.
        probs: P, ``[N, C]``.
        wanted: Omega, ``[C]``.
        weight: lambda.
    """

    def __init__(self, costs: Costs, probs: Floats, wanted: Costs, weight: float) -> None:
        self._costs, self._probs = costs, probs
        self._wanted, self._weight = wanted, weight

    def imbalance(self, rows: Sequence[int]) -> float:
        """|P'z - Omega|_1, examples."""
        return float(np.abs(self._held(rows) - self._wanted).sum())

    def objective(self, rows: Sequence[int]) -> float:
        """z'U + lambda |P'z - Omega|_1."""
        return float(self._costs[[*rows]].sum()) + self._weight * self.imbalance(rows)

    def greedy(self, size: int) -> list[int]:
        """One by one what raises the objective least, then exchanges as long as one lowers it.

        No exchange of one chosen candidate for another one makes it better, unless there were
        ``SWEEPS`` of them; it need not be the best. Time: O(N C) per pick and per exchange that
        is tried, ``SWEEPS``·b of these at most. Equal ones are taken in the order of rows.
        """
        rows: list[int] = []
        held = np.zeros(len(self._wanted))
        free = np.ones(len(self._costs), np.bool_)
        for _ in range(size):
            row, _ = self._best(held, free)
            rows.append(row)
            free[row] = False
            held += self._probs[row]
        for _ in range(SWEEPS):
            before = [*rows]
            for place, row in enumerate(before):
                others = self._held(rows[:place] + rows[place + 1 :])
                kept = self._costs[row] + self._price(others + self._probs[row])
                new, cost = self._best(others, free)
                if cost < kept - LEAST_GAIN:
                    free[row], free[new] = True, False
                    rows[place] = new
            if rows == before:
                break
        return rows

    def solved(self, size: int) -> list[int]:
        """The best, by SciPy's mixed-integer linear program with |.| as C further variables.

        Whatever has been found after ``NODES`` nodes, and the greedy choice where that is better.
        """
        N, C = self._probs.shape
        expected, none = self._probs.T.astype(np.float64), np.eye(C)
        found = optimize.milp(
            np.concatenate([self._costs, np.full(C, self._weight)]),
            integrality=np.concatenate([np.ones(N), np.zeros(C)]),
            bounds=optimize.Bounds(0, np.concatenate([np.ones(N), np.full(C, np.inf)])),
            constraints=[
                optimize.LinearConstraint(np.concatenate([np.ones(N), np.zeros(C)]), size, size),
                optimize.LinearConstraint(np.hstack([expected, -none]), -np.inf, self._wanted),
                optimize.LinearConstraint(np.hstack([expected, none]), self._wanted, np.inf),
            ],
            options={"node_limit": NODES, "mip_rel_gap": 0.0},
        )
        choices = [self.greedy(size)]
        if found.x is not None:
            # Nearest to 1: integers are such up to rounding.
            best = np.argsort(-found.x[:N].round(3), kind="stable")[:size]
            choices.insert(0, best.tolist())
        return min(choices, key=self.objective)

    def _held(self, rows: Sequence[int]) -> Costs:
        held: Costs = self._probs[[*rows]].sum(axis=0, dtype=np.float64)
        return held

    def _price(self, held: Costs) -> float:
        return float(self._weight * np.abs(held - self._wanted).sum())

    def _best(self, held: Costs, free: NDArray[np.bool_]) -> tuple[int, float]:
        """The free candidate that costs least beside what is held, and what it costs."""
        prices = [np.abs(block + (held - self._wanted)).sum(axis=1) for block in self._blocks()]
        costs = np.where(free, self._costs + self._weight * np.concatenate(prices), np.inf)
        row = int(costs.argmin())
        return row, float(costs[row])

    def _blocks(self) -> Iterator[Costs]:
        size = max(1, BLOCK_VALUES // self._probs.shape[1])
        for start in range(0, len(self._probs), size):
            yield self._probs[start : start + size].astype(np.float64)
