"""What an acquisition sees of the pool: the candidates of a round, scored as it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

from bgadl_tf.core.types import Floats, Id
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.models.predictive import Predictive


class Candidates:
    """Candidates of one round; an ``acquisition.base.PoolView``.

    Args:
        ids: ``[N]``.
        images: ``uint8 [N, H, W, D]``, in the same order.
        scorer: Scores them, a chunk at a time.
        mask_seed: Of the round's MC masks.
    """

    def __init__(
        self, ids: Sequence[Id], images: ExampleSource, scorer: Scorer, mask_seed: int
    ) -> None:
        self.ids = ids
        self._images, self._scorer, self._mask_seed = images, scorer, mask_seed

    def scores(self, score: Callable[[Predictive], tf.Tensor]) -> Iterator[Floats]:
        return self._scorer.scores(self._images, self._mask_seed, score)
