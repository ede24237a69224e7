"""Random selection: every candidate is as likely as every other; looks at no example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.query import Query, top


@ACQUISITIONS.register("random")
@dataclass(frozen=True)
class Random:
    """Uniform scores in [0, 1), drawn in the order of sorted ids: pool order does not matter."""

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        ids = sorted(view.ids)
        return top(ids, rng.random(len(ids)), size)
