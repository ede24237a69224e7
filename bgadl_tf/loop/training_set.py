"""What a round trains on: the labelled set, further examples that join it, and the pool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgadl_tf.core.types import Examples, Floats, Id, Labels
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.further import FurtherExamples
from bgadl_tf.loop.journal import Journal, queries
from bgadl_tf.loop.labelling import Labelling


class TrainingData(NamedTuple):
    """What a trainer is given.

    Fields:
        examples: The labelled set ``[N, *shape]``; None where no label is used.
        labels: ``[N]``, or None.
        unlabelled: The pool ``[M, *shape]``, or ``[M, 1 + V, F]`` with views; None where nothing is
            left of it or nobody uses it.
        views: Of the labelled set ``[N, V, F]``, where they are used.
        emphasis: ``[N]``, where it is used.
    """

    examples: Examples | None = None
    labels: Labels | None = None
    unlabelled: ExampleSource | None = None
    views: Examples | None = None
    emphasis: Floats | None = None


class TrainingSet:
    """Put together anew for every round.

    Args:
        labelling: Who has labelled what.
        examples: Every known one.
        further: Those that were made of the queries.
        journal: Holds the queries.
    """

    def __init__(
        self,
        labelling: Labelling,
        examples: KnownExamples,
        further: FurtherExamples,
        journal: Journal,
    ) -> None:
        self._labelling, self._pool = labelling, labelling.pool
        self._examples, self._further = examples, further
        self._journal = journal

    def given_to(self, model: Trainable, round_: int) -> TrainingData:
        """What a model that learns from labels uses in a round."""
        examples, labels = self.labelled(round_)
        return TrainingData(
            examples,
            labels,
            self.unlabelled(model.uses_views) if model.uses_unlabelled else None,
            self.views(round_) if model.uses_views else None,
            model.emphasis(labels, self.scores(round_)) if model.uses_emphasis else None,
        )

    def labelled(self, round_: int) -> tuple[Examples, Labels]:
        """The labelled set in an order that does not depend on who answered first, then x'."""
        ids, joined = self._labelled_ids(), self._further.joined(round_)
        examples = [self._examples.of(ids), *(one.examples for one in joined)]
        labels = [self._pool.labels_of(ids), *(one.labels for one in joined)]
        return np.concatenate(examples), np.concatenate(labels)

    def views(self, round_: int) -> Examples | None:
        """Views ``[N, V, F]`` of what ``labelled`` returns; None where the dataset has none.

        x' has none, and stands in for each of its own.
        """
        views = self._examples.views_of(self._labelled_ids())
        if views is None:
            return None
        joined = [one.examples for one in self._further.joined(round_)]
        return np.concatenate(
            [views, *(np.repeat(made[:, None], views.shape[1], 1) for made in joined)]
        )

    def _labelled_ids(self) -> list[Id]:
        pool = self._pool
        return sorted(pool.labelled_ids, key=lambda id_: (pool.round_of(id_), pool.place_of(id_)))

    def unlabelled(self, with_views: bool = False) -> ExampleSource | None:
        """What may still be asked about; None where nothing is left.

        Args:
            with_views: Each example followed by its views, ``[M, 1 + V, F]``.
        """
        if not self._pool.unlabelled_count:
            return None
        ids = self._pool.unlabelled_ids
        return self._examples.forms_of(ids) if with_views else self._examples.source_of(ids)

    def scores(self, round_: int) -> Floats:
        """How informative each of ``labelled`` was when it was asked for, ``[N]``; nan of those
        that no acquisition has scored. x' has the score of its x*.
        """
        known: dict[Id | None, float] = {}
        for number, query in sorted(queries(self._journal).items()):
            if number:
                starts = self._journal.starts_before_query(number)
                for id_, score in zip(query.ids, query.scores, strict=True):
                    known[self._labelling.now(id_, starts)] = score
        ids = self._labelled_ids()
        for one in self._further.joined(round_):
            ids += one.ids
        return np.array([known.get(id_, np.nan) for id_ in ids], np.float32)

    def everything(self) -> ExampleSource:
        """All of the training set, labelled or not; nothing that was synthesised, lest a generator
        learn from what another one has made.
        """
        known = self._examples
        return known.source_of([id_ for id_ in self._pool.ids if not known.is_synthesised(id_)])
