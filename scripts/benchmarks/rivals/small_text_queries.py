"""Queries with small-text."""

from __future__ import annotations

import numpy as np
from small_text.integrations.pytorch.query_strategies import BADGE
from small_text.query_strategies.coresets import greedy_coreset

from scripts.benchmarks.rivals.acquisition_peers import Arrays, Picks


def coreset(case: Arrays, size: int) -> Picks:
    """Farthest first, euclidean.

    What it has chosen it looks up among all vectors by numbers of candidates, which is right only
    where these come first, as here.
    """
    vectors = case.of["penultimate"]
    rows = greedy_coreset(
        vectors, *_parts(case, len(vectors)), size, distance_metric="euclidean"
    )  # fmt: skip
    return [int(row) for row in rows]


def badge(case: Arrays, size: int) -> Picks:
    """Gradients of what the last layer sees."""
    vectors, probs = case.of["penultimate"], case.of["probs"]
    candidates, labelled = _parts(case, len(vectors))
    rows = BADGE(probs.shape[1]).sample(
        None, None, candidates, labelled, case.labels, size, vectors, embeddings_proba=probs
    )
    return [int(row) for row in rows]


def _parts(case: Arrays, total: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(case.count), np.arange(case.count, total)
