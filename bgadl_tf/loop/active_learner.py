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
from bgadl_tf.core.errors import PoolError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop import folder_journal, parts
from bgadl_tf.loop.amending import Amending
from bgadl_tf.loop.callback import Callback, Callbacks
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.round import Round, rounded
from bgadl_tf.loop.steps import Steps
from bgadl_tf.models.classifiers.base import Classifier


class ActiveLearner(Amending, Steps):
    """Asks, is told, and learns; weights are drawn by the plan's seed, but ``from_model``'s kept.

    Args:
        learner: Fits the classifier; a classifier alone is fitted plainly.
        acquisition: Chooses what to ask; an object or its name.
        dataset: Whose training set is the pool and whose test set is evaluated once a round; or
            what stands after ``--dataset``. It may have changed since the folder was left: see
            ``DatasetHistory``.
        folder: Keeps everything, and goes on from what it holds; None for a temporary one.
        callbacks: Told of what happens.
        plan: The protocol; None for the default one.
        strategy: Where it trains, None for the one in force; a learner was made in its scope.
        journal: Instead of ``folder``: one that is open.

    Raises:
        ConfigError: The parts do not fit together.
        PoolError: The ledger does not fit the dataset.
        RunFolderError: The folder is in use, lacks what it should hold, or is of another dataset.
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
        self.acquisition = parts.as_acquisition(acquisition)
        self.plan, self.callback = plan or Plan(), Callbacks(callbacks)
        self.strategy = strategy or tf.distribute.get_strategy()
        before = DatasetHistory(journal or folder_journal.unopened(folder))
        ordered = before.ordered(parts.as_dataset(dataset, before))
        with self.strategy.scope():
            fitter = parts.as_learner(learner, ordered, self.acquisition, before.class_counts)
        self.journal = journal or folder_journal.held(folder)
        try:
            self.journal.begin(self.plan)
            self.history = DatasetHistory(self.journal)
            self.history.start(ordered, len(self.journal.finished()))
            self._take_up(ordered, fitter)
            self.journal.go_on(self.plan)
            self.history.keep(self.fitting.moment)
        except BaseException:
            if journal is None:
                self.journal.close()
            raise

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
        self.take_given_labels()
        before = self.journal.query(self.round)
        more = before is None or (size is not None and not self._has_begun)
        if more and not self.labelling.open(self.round).ids:
            self._asking.make(self.round, size, before)
        return self.labelling.open(self.round)

    def take_given_labels(self) -> None:
        """Labels that the dataset itself gives, when the run begins and when it has changed."""
        if given := self._asking.given_labels(self.round):
            self.tell(given, HeldBackLabels.source, correct=True)

    def tell(
        self,
        answers: Mapping[Id, Label | str | None],
        source: str = "oracle",
        *,
        correct: bool = False,
    ) -> None:
        """Record answers; on disk when this returns. Some of them are fine, and so are others.

        May be called while another thread is in ``ask`` or ``fit``.

        Args:
            answers: Class index or name of each id, asked for or not; None to decline.
            source: Who answered, for the ledger.
            correct: Whether ids may have another answer already. The new one then holds from
                this round on, or from the next one if this one trains already.

        Raises:
            PoolError: An id is not to be labelled, or a label is no class; nothing is recorded.
        """
        with self.labelling.lock:
            begun = self._has_begun
            told = self.labelling.tell(answers, source, correct=correct, has_begun=begun)
        if told:
            self.callback.on_answers(self.round, told)

    def fit(self) -> Round:
        """Make further examples, train, evaluate; the round is finished when this returns.

        Raises:
            PoolError: Labels that were asked for are still missing, or nothing is labelled.
            DivergenceError: A loss term or a result is not finite.
        """
        self.take_given_labels()
        query = self.journal.query(self.round) or Query((), ())
        with self.labelling.lock:
            if missing := self.labelling.open(self.round).ids:
                raise PoolError(
                    f"{len(missing)} labels are missing, e.g. of {missing[0]!r}; tell() them"
                )
            if not self.pool.labelled_count:
                raise PoolError("nothing is labelled yet; ask() for labels and tell() them")
            self._fits = True
        try:
            return self._fitted(query)
        finally:
            self._fits = False

    def _fitted(self, query: Query) -> Round:
        """The round that learns from this query, which is answered."""
        facts = {**query.facts, **self.labelling.declined(query)}
        facts |= self.further.make(self.round, query)
        start = time.monotonic()
        self.fitting.advance(self.round, self.training_set)
        trained = time.monotonic()
        result = self.scorer.evaluate(self.dataset.test.examples, self.dataset.test.labels)
        record = Round(
            round=self.round,
            labelled=self.pool.labelled_count,
            test_accuracy=result.accuracy,
            test_nll=result.nll,
            queried=query.ids if self.round else (),
            seconds=rounded(trained - start, self._asking.seconds, time.monotonic() - trained),
            facts={**facts, **self.learner.facts()},
            test_set=self.history.test_sets,
            calibration=None if result.calibration is None else result.calibration.to_json(),
        )
        record.refuse_divergence()
        self.fitting.save(self.round)
        self.journal.finish(record)
        self.round, self._asking.seconds = self.round + 1, 0.0
        self.labelling.advance(self.round)
        self.callback.on_round(record)
        return record
