"""Which examples are nearest to given vectors, read a piece at a time."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.types import Floats, Rows
from bgadl_tf.data.source import ExampleSource

CHUNK_VALUES = 2**22
"""Components that are read in one piece."""

LOOKED_AT = 100_000
"""Of more examples, so many evenly spread ones are looked at: a picture is not worth minutes."""


def nearest(vectors: Floats, examples: ExampleSource) -> Rows:
    """Row of the example with the least Euclidean distance to each vector, int64 [n].

    Args:
        vectors: ``[n, F]``.
        examples: ``[N, F]``, at least one.
    """
    looked_at = np.unique(np.linspace(0, len(examples) - 1, LOOKED_AT).astype(np.int64))
    best = np.full(len(vectors), np.inf)
    found = np.zeros(len(vectors), np.int64)
    size = max(1, CHUNK_VALUES // examples.shape[1])
    for start in range(0, len(looked_at), size):
        rows = looked_at[start : start + size]
        chunk = examples[rows]
        # Less what is the same for every example.
        distances = np.square(chunk).sum(1) - 2.0 * (vectors @ chunk.T)
        here = distances.argmin(axis=1)
        least = distances[np.arange(len(vectors)), here]
        closer = least < best
        best[closer], found[closer] = least[closer], rows[here[closer]]
    return found
