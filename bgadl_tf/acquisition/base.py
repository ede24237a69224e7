"""BASE: of every class alike those nearest to its boundary, in what the last layer sees.

Emam, Chu, Chiang, Czaja, Leapman, Goldblum and Goldstein, "Active Learning at the ImageNet Scale"
(2021): the distance to a class c is that to the nearest boundary for an example that is predicted
to be of c, and that to the boundary between c and the predicted class for any other. Class after
class takes the nearest that no class before it has taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition import boundary
from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query, TopScores, by_lot
from bgadl_tf.core.types import Id
from bgadl_tf.learners.abilities import LinearHead


@ACQUISITIONS.register("base")
@dataclass(frozen=True)
class BASE:
    """Asks for b / C examples near to each class; the first classes get what cannot be shared out.

    Classes are predicted ones: no label of the pool is read. The distance to a class is the
    released code's; the paper defines it by the smallest change that makes the prediction that
    class. Scores are minus the distance to the class that took an example, the nearest first; which
    of equal ones are taken is drawn. Memory: O(C b), the nearest of every class. Time: O(N C (P +
    C)) beside the passes, and O(N C log b) for keeping them.
    """

    needs: ClassVar[tuple[type, ...]] = (LinearHead,)
    chooses_initial_set: ClassVar[bool] = False

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        # No class can be left with fewer: those before it have taken what they take.
        tie_key = by_lot(rng)
        nearest = [TopScores(view.ids, size, tie_key) for _ in range(view.classes)]
        for (distances,) in view.look(self.see):
            for best, scores in zip(nearest, -distances.T, strict=True):
                best.add(scores)
        taken: dict[Id, float] = {}
        share, further = divmod(size, view.classes)
        for number, best in enumerate(nearest):
            ids, scores, *_ = best.query()
            new = [(i, s) for i, s in zip(ids, scores, strict=True) if i not in taken]
            taken.update(new[: share + (number < further)])
        ranked = sorted(taken, key=lambda id_: -taken[id_])
        return Query(tuple(ranked), tuple(taken[id_] for id_ in ranked))

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Distances to the classes, ``[n, C]``."""
        return boundary.distances(evidence.log_probs, evidence.last_kernel)
