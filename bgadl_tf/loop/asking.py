"""How a query is made: the initial set, or what the acquisition finds among the candidates."""

from __future__ import annotations

import functools
import time

import numpy as np

from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import PoolError, ScoreError
from bgadl_tf.core.types import UNLABELLED, Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.fitting import Fitting
from bgadl_tf.loop.initial_set import initial_ids
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.labelling import Labelling
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.training_set import TrainingSet
from bgadl_tf.loop.view import View


class Asking:
    """Makes queries.

    Args:
        acquisition: Chooses.
        dataset: Its training set is the pool.
        plan: The protocol.
        labelling: Who has labelled what.
        examples: Every known one.
        training_set: What networks of the acquisition's own learn from.
        scorer: Sees candidates through the learner's classifier.
        fitting: Trains.
        journal: Keeps queries, and what acquisitions remember.
        callback: Told of queries.

    Attributes:
        seconds: That making queries has taken since this was set to zero.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        dataset: Dataset,
        plan: Plan,
        labelling: Labelling,
        examples: KnownExamples,
        training_set: TrainingSet,
        scorer: Scorer,
        fitting: Fitting,
        journal: Journal,
        callback: Callback,
    ) -> None:
        self._acquisition, self._dataset = acquisition, dataset
        self._labelling, self._pool, self._callback = labelling, labelling.pool, callback
        self.seconds = 0.0
        self._examples, self._training_set = examples, training_set
        self._scorer, self._fitting, self._journal, self._plan = scorer, fitting, journal, plan

    @property
    def some_labels_are_given(self) -> bool:
        """Whether the dataset knows the labels of some examples, and nobody those of others."""
        unknown = self._dataset.train.labels == UNLABELLED
        return bool(unknown.any() and not unknown.all()) and not self._labelling.simulated

    def make(self, round_: int, size: int | None, before: Query | None) -> None:
        """Make a query, keep it, and note what it asks; arguments and errors as for ``query``."""
        start = time.monotonic()
        query = self.query(round_, size, before)
        self.seconds += time.monotonic() - start
        self._journal.save_query(round_, query, seeding.mask_seed(self._plan.seed, round_))
        if query.examples is not None:
            self._examples.admit(query.ids, query.examples)
            self._pool.admit(query.ids)
        self._labelling.ask(round_, query)
        self._callback.on_query(round_, query)

    def given_labels(self, round_: int) -> dict[Id, Label | None]:
        """Labels that the dataset gives and that are to be told now: those that somebody knows
        when others are unknown to everyone, and those that have changed.
        """
        given: dict[Id, Label | None] = {**self._labelling.given()}
        if round_ or not self.some_labels_are_given:
            return given
        if self._journal.query(0) is None:
            self.make(0, None, None)
        query = self._labelling.open(0)
        known = HeldBackLabels(self._dataset.train)
        return {**given, **known.answer(query, self._examples.source_of(query.ids))}

    def query(self, round_: int, size: int | None, before: Query | None) -> Query:
        """A new query.

        Args:
            round_: The round that asks.
            size: Labels to ask for; None for the plan's.
            before: What this round has asked already; comes first in the new query.

        Raises:
            PoolError: The pool is exhausted.
            ScoreError: A score is not finite.
        """
        if size is not None and size < 1:
            raise PoolError(f"{size} labels were asked for; expected 1 or more")
        new = self._checked(self._new(round_, size, f"after {len(before.ids)}" if before else ""))
        if before is None:
            return new
        if before.examples is not None or new.examples is not None:
            raise PoolError(
                f"round {round_} has asked about synthesised examples and cannot ask again; fit()"
            )
        facts = {**before.facts, **new.facts}
        return Query(before.ids + new.ids, before.scores + new.scores, facts=facts)

    def _checked(self, query: Query) -> Query:
        """A query of plain numbers, about ids that can be answered.

        Raises:
            PoolError: An id is unknown, answered already or given twice.
            ScoreError: A score or fact is missing or not finite.
        """
        if len(query.ids) != len(query.scores):
            raise ScoreError(f"a query has {len(query.ids)} ids and {len(query.scores)} scores")
        if query.examples is None:
            self._pool.refuse_answered(query.ids)
        if len({*query.ids}) < len(query.ids):
            raise PoolError("a query names an id twice; ids must be unique")
        scores = tuple(float(score) for score in query.scores)
        facts = {name: float(value) for name, value in query.facts.items()}
        if not np.isfinite([*scores, *facts.values()]).all():
            raise ScoreError(f"a query's scores or facts are not finite: {scores}, {facts}")
        ids = tuple(str(id_) for id_ in query.ids)
        return Query(ids, scores, query.examples, facts)

    def _new(self, round_: int, size: int | None, detail: str) -> Query:
        self._fitting.settle()
        given = self.some_labels_are_given and not detail
        if round_ == 0 and (given or not self._acquisition.chooses_initial_set):
            ids = initial_ids(
                self._dataset.train,
                self._dataset.classes,
                size if size is not None else self._plan.initial_size,
                seeding.generator(self._plan.seed, 0, "initial_set", detail),
                taken=self._pool.is_answered,
            )
            return Query(ids, (0.0,) * len(ids))
        if round_ == 0:
            self._fitting.advance(0, self._training_set, without_labels=True)
            size = size or self._plan.initial_size or 10 * self._dataset.classes
        rng = seeding.generator(self._plan.seed, round_, "candidates", detail)
        view = View(
            round_=round_,
            ids=self._pool.candidates(self._plan.candidates, rng),
            labels=self._pool.labels,
            classes=self._dataset.classes,
            examples=self._examples,
            scorer=self._scorer,
            mask_seed=seeding.mask_seed(self._plan.seed, round_),
            journal=self._journal,
            state=self._labelling.dataset_state,
            make=self._fitting.make_other,
            train=functools.partial(self._train, round_),
        )
        rng = seeding.generator(self._plan.seed, round_, "query", detail)
        return self._acquisition.query(view, size or self._plan.query_size, rng)

    def _train(self, round_: int, model: Trainable, steps: int, labels: bool) -> None:
        self._fitting.train_other(round_, model, steps, self._training_set, labels)
