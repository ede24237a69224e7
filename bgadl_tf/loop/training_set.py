"""What a round trains on: the labelled set, further examples that join it, and the pool."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.types import Examples, Id, Labels
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.further import FurtherExamples
from bgadl_tf.loop.pool import Pool


class TrainingSet:
    """Put together anew for every round.

    Args:
        pool: What is labelled.
        examples: Every known one.
        further: Those that were made of the queries.
    """

    def __init__(self, pool: Pool, examples: KnownExamples, further: FurtherExamples) -> None:
        self._pool, self._examples, self._further = pool, examples, further

    def labelled(self, round_: int) -> tuple[Examples, Labels]:
        """The labelled set in an order that does not depend on who answered first, then x'."""
        ids, joined = self._labelled_ids(), self._further.joined(round_)
        examples = [self._examples.of(ids), *(examples for examples, _ in joined)]
        labels = [self._pool.labels_of(ids), *(labels for _, labels in joined)]
        return np.concatenate(examples), np.concatenate(labels)

    def views(self, round_: int) -> Examples | None:
        """Views ``[N, V, F]`` of what ``labelled`` returns; None where the dataset has none.

        x' has none, and stands in for each of its own.
        """
        views = self._examples.views_of(self._labelled_ids())
        if views is None:
            return None
        joined = [examples for examples, _ in self._further.joined(round_)]
        return np.concatenate(
            [views, *(np.repeat(made[:, None], views.shape[1], 1) for made in joined)]
        )

    def _labelled_ids(self) -> list[Id]:
        pool = self._pool
        return sorted(pool.labelled_ids, key=lambda id_: (pool.round_of(id_), pool.place_of(id_)))

    def unlabelled(self) -> ExampleSource | None:
        """What may still be asked about; None where nothing is left."""
        if not self._pool.unlabelled_count:
            return None
        return self._examples.source_of(self._pool.unlabelled_ids)

    def everything(self) -> ExampleSource:
        """All of the training set, labelled or not."""
        return self._examples.source_of(self._pool.ids)
