"""Whole rounds with an oracle: ask, tell, fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.oracles.oracle import Oracle
from bgadl_tf.loop.round import Round


class Steps(ABC):
    """What is made of ``ask``, ``tell`` and ``fit``."""

    dataset: Dataset
    examples: KnownExamples

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether every round of the plan is over and the ledger holds all answers."""

    @abstractmethod
    def ask(self, size: int | None = None) -> Query:
        """What is still to be labelled in this round."""

    @abstractmethod
    def tell(self, answers: Mapping[Id, Label | str | None], source: str = "oracle") -> None:
        """Record answers."""

    @abstractmethod
    def fit(self) -> Round:
        """Train and evaluate."""

    def step(self, oracle: Oracle | None = None) -> Round | None:
        """One whole round: ask, tell, fit.

        Args:
            oracle: Is asked; may answer only some ids. None for the labels that the dataset
                holds back.

        Returns:
            The finished round, or None when labels of ``ask().ids`` are still missing or the
            plan is finished.
        """
        oracle = oracle or HeldBackLabels(self.dataset.train)
        while not self.finished and (query := self.ask()).ids:
            answers = oracle.answer(query, self.examples.source_of(query.ids))
            told = {id_: answers[id_] for id_ in query.ids if id_ in answers}
            if not told:
                return None
            self.tell(told, oracle.source)
        return None if self.finished else self.fit()

    def run(self, oracle: Oracle | None = None) -> bool:
        """``step`` to the end of the plan, or until the oracle has no answer yet.

        Returns:
            Whether the plan is finished.
        """
        while not self.finished:
            if self.step(oracle) is None:
                break
        return self.finished
