"""Random selection: every candidate is as likely as every other; looks at no image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bgadl_tf.acquisition.base import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.query import Query, top


@ACQUISITIONS.register("random")
class Random:
    """Uniform scores in [0, 1), drawn in the order of sorted ids: pool order does not matter."""

    needs: ClassVar[frozenset[str]] = frozenset()

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        ids = sorted(view.ids)
        return top(ids, rng.random(len(ids)), size)
