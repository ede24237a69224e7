"""The active-learning loop: ask, tell, fit, round after round.

Round 0 labels the initial set and trains on it. Every further round sees candidates through the
model of the round before, asks for the best, learns their labels, makes further examples of them
where the learner can, and trains::

    round r:  ask() -> x*      tell(y*)      x'      fit() -> accuracy

What the journal has kept is never done again: a run that is killed and started again ends as one
that was never killed, and a ``fit`` that failed may be called once more.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop import folder_journal, parts
from bgadl_tf.loop.asking import Asking
from bgadl_tf.loop.callback import Callback, Callbacks
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.fitting import Fitting
from bgadl_tf.loop.further import FurtherExamples
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.labelling import Labelling
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.round import Round
from bgadl_tf.loop.steps import Steps
from bgadl_tf.loop.training_set import TrainingSet
from bgadl_tf.models.classifiers.base import Classifier


class ActiveLearner(Steps):
    """Asks, is told, and learns; weights are drawn by the plan's seed, but ``from_model``'s kept.

    Args:
        learner: Fits the classifier; a classifier alone is fitted plainly.
        acquisition: Chooses what to ask; an object or its name.
        dataset: Whose training set is the pool and whose test set is evaluated once a round; or
            what stands after ``--dataset``.
        folder: Keeps everything, and goes on from what it holds; None for a temporary one.
        callbacks: Told of what happens.
        plan: The protocol; None for the default one.
        strategy: Where it trains, None for the one in force; a learner was made in its scope.
        journal: Instead of ``folder``: one that is open.

    Raises:
        ConfigError: The parts do not fit together.
        PoolError: The ledger does not fit the dataset.
        RunFolderError: The folder is in use or lacks what it should hold.
    """

    def __init__(
        self,
        learner: Learner | Classifier | str,
        acquisition: Acquisition | str,
        dataset: Dataset | str,
        *,
        folder: Path | str | None = None,
        callbacks: Sequence[Callback] = (),
        plan: Plan | None = None,
        strategy: tf.distribute.Strategy | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.dataset = parts.as_dataset(dataset)
        self.acquisition = parts.as_acquisition(acquisition)
        strategy = strategy or tf.distribute.get_strategy()
        with strategy.scope():
            self.learner = parts.as_learner(learner, self.dataset, self.acquisition)
        self.plan = plan or Plan()
        self.callback = Callbacks(callbacks)
        self.journal = journal or folder_journal.held(folder)
        self.journal.begin(self.plan)
        self.journal.track(self.learner)
        self.round = len(self.journal.finished())
        self.labelling = Labelling(self.dataset, self.journal)
        self.pool = self.labelling.pool
        self.examples = KnownExamples(self.dataset.train, self.journal)
        self.scorer = Scorer(self.learner, strategy, self.plan.mc_samples)
        self.fitting = Fitting(self.learner, strategy, self.journal, self.plan, self.callback)
        self.further = FurtherExamples(
            self.learner, self.scorer, self.journal, self.pool, self.examples, self.plan.seed
        )
        self.training_set = TrainingSet(self.pool, self.examples, self.further)
        self._asking = Asking(
            self.acquisition, self.dataset, self.plan, self.pool, self.examples,
            self.training_set, self.scorer, self.fitting, self.journal,
        )  # fmt: skip
        self._score_seconds = 0.0

    @property
    def finished(self) -> bool:
        """Whether every round of the plan is over and the ledger holds all answers."""
        return self.round > self.plan.rounds and not self.labelling.lost(self.round)

    def ask(self, size: int | None = None) -> Query:
        """What is still to be labelled in this round, the most informative first.

        The same until it is answered, also after a restart; what a ledger has lost comes first.

        Args:
            size: Labels to ask for; None for the plan's. A round that was answered asks again if
                a size is given and its training has not begun.

        Raises:
            PoolError: The pool is exhausted.
            ScoreError: A score is not finite.
        """
        self._take_given_labels()
        before = self.journal.query(self.round)
        more = before is None or (size is not None and not self.fitting.has_begun(self.round))
        if more and not self.labelling.open(self.round).ids:
            self._make_query(size, before)
        return self.labelling.open(self.round)

    def _make_query(self, size: int | None, before: Query | None) -> None:
        start = time.monotonic()
        query = self._asking.query(self.round, size, before)
        self._score_seconds += time.monotonic() - start
        self.journal.save_query(self.round, query, seeding.mask_seed(self.plan.seed, self.round))
        if query.examples is not None:
            self.examples.admit(query.ids, query.examples)
            self.pool.admit(query.ids)
        self.labelling.ask(self.round, query)
        self.callback.on_query(self.round, query)

    def _take_given_labels(self) -> None:
        """Where a dataset knows some labels and not others, those are the initial set."""
        if self.round or not self._asking.some_labels_are_given:
            return
        if self.journal.query(0) is None:
            self._make_query(None, None)
        if (query := self.labelling.open(0)).ids:
            oracle = HeldBackLabels(self.dataset.train)
            if given := oracle.answer(query, self.examples.source_of(query.ids)):
                self.tell(given, oracle.source)

    def tell(self, answers: Mapping[Id, Label | str | None], source: str = "oracle") -> None:
        """Record answers; on disk when this returns. Some of them are fine, and so are others.

        Args:
            answers: Class index or name of each id, asked for or not; None to decline.
            source: Who answered, for the ledger.

        Raises:
            PoolError: An id is not to be labelled, or a label is no class; nothing is recorded.
        """
        told = self.labelling.tell(answers, self.round, source)
        self.callback.on_answers(self.round, told)

    def fit(self) -> Round:
        """Make further examples, train, evaluate; the round is finished when this returns.

        Raises:
            PoolError: Labels that were asked for are still missing, or nothing is labelled.
            DivergenceError: A loss term or a result is not finite.
        """
        self._take_given_labels()
        if missing := self.labelling.open(self.round).ids:
            raise PoolError(
                f"{len(missing)} labels are missing, e.g. of {missing[0]!r}; tell() them"
            )
        if not self.pool.labelled_count:
            raise PoolError("nothing is labelled yet; ask() for labels and tell() them")
        query = self.journal.query(self.round) or Query((), ())
        facts = {**query.facts, **self.further.make(self.round, query)}
        start = time.monotonic()
        self.fitting.advance(self.round, self.training_set)
        trained = time.monotonic()
        result = self.scorer.evaluate(self.dataset.test.examples, self.dataset.test.labels)
        evaluated = time.monotonic() - trained
        seconds = {"train": trained - start, "score": self._score_seconds, "evaluate": evaluated}
        record = Round(
            round=self.round,
            labelled=self.pool.labelled_count,
            test_accuracy=result.accuracy,
            test_nll=result.nll,
            queried=query.ids if self.round else (),
            seconds={name: round(value, 3) for name, value in seconds.items()},
            facts=facts,
        )
        record.refuse_divergence()
        self.fitting.save(self.round)
        self.journal.finish(record)
        self.round, self._score_seconds = self.round + 1, 0.0
        self.callback.on_round(record)
        return record
