"""The objects of a loop, put together for one dataset and one learner."""

from __future__ import annotations

import tensorflow as tf

from bgadl_tf.acquisition.acquisition import Acquisition
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.asking import Asking
from bgadl_tf.loop.callback import Callbacks
from bgadl_tf.loop.dataset_history import DatasetHistory
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.fitting import Fitting
from bgadl_tf.loop.further import FurtherExamples
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.labelling import Labelling
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.training_set import TrainingSet


class Assembled:
    """What a loop consists of; put together anew when a class is added."""

    acquisition: Acquisition
    plan: Plan
    callback: Callbacks
    strategy: tf.distribute.Strategy
    journal: Journal
    history: DatasetHistory
    _fits = False
    """Whether a round is being fitted, by this thread or another one."""

    @property
    def _has_begun(self) -> bool:
        """Whether what is told now is for the next round, and no longer for this one."""
        return self._fits or self.fitting.has_begun(self.round)

    def _take_up(self, dataset: Dataset, learner: Learner) -> None:
        """Put it together as the journal left it."""
        self.dataset, self.learner, journal = dataset, learner, self.journal
        journal.track(learner)
        self.round = len(journal.finished())
        self.labelling = Labelling(dataset, journal, self.history)
        self.pool = self.labelling.pool
        self.examples = KnownExamples(dataset.train, journal)
        self.scorer = Scorer(learner, self.strategy, self.plan.mc_samples)
        self.fitting = Fitting(
            learner, self.strategy, journal, self.plan, self.callback, self.history.class_counts
        )
        self.further = FurtherExamples(
            learner, self.scorer, journal, self.labelling, self.examples, self.plan.seed
        )
        self.training_set = TrainingSet(self.labelling, self.examples, self.further, self.journal)
        self._asking = Asking(
            self.acquisition, dataset, self.plan, self.labelling, self.examples,
            self.training_set, self.scorer, self.fitting, journal, self.callback,
        )  # fmt: skip
