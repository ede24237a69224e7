"""BatchBALD with baal, and with its author's batchbald_redux."""

from __future__ import annotations

import numpy as np
import torch

from scripts.benchmarks.rivals.acquisition_peers import CONFIGURATIONS, Arrays, Picks


def baal(case: Arrays, size: int) -> Picks:
    """From all candidates.

    It tells scores, of one pick more than are asked for, and not their order; but what it calls
    the score of a pick grows with the batch.
    """
    from baal.active.heuristics import BatchBALD

    passes = case.of["passes"].transpose(0, 2, 1)  # [N, C, K]
    heuristic = BatchBALD(num_samples=size, num_draw=max(1, CONFIGURATIONS // passes.shape[2]))
    ranks, scores = heuristic.get_ranks(passes)
    return [int(row) for row in ranks[::-1] if scores[row] > 0][:size]


def redux(case: Arrays, size: int) -> Picks:
    """From all candidates."""
    from batchbald_redux.batchbald import get_batchbald_batch

    logs = torch.from_numpy(np.log(np.maximum(case.of["passes"], 1e-30)))
    batch = get_batchbald_batch(logs, size, CONFIGURATIONS, dtype=torch.double)
    return [int(row) for row in batch.indices]
