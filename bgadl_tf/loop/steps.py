"""Whole rounds with an oracle: ask, tell, fit.

Without one a person is simulated: by the labels that the dataset holds back and, where it held back
every one, by a network for what acquisitions have synthesised.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.labelling import Labelling
from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.loop.oracles.network import NetworkOracle, NetworkSettings
from bgadl_tf.loop.oracles.oracle import Oracle
from bgadl_tf.loop.round import Round


class Steps(ABC):
    """What is made of ``ask``, ``tell`` and ``fit``."""

    dataset: Dataset
    examples: KnownExamples
    labelling: Labelling
    journal: Journal
    oracle_network = NetworkSettings()
    """Of the network that is asked about synthesised examples in simulation; may be set."""

    _network_oracle: NetworkOracle | None = None

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
                holds back and, in simulation, a network for what was synthesised.

        Returns:
            The finished round, or None when labels of ``ask().ids`` are still missing or the
            plan is finished.
        """
        oracles = self._simulated() if oracle is None else (oracle,)
        while not self.finished and (query := self.ask()).ids:
            if not any(self._answered(query, one) for one in oracles):
                return None
        return None if self.finished else self.fit()

    def _answered(self, query: Query, oracle: Oracle) -> bool:
        """Tell what an oracle answers; whether it has answered anything."""
        answers = oracle.answer(query, self.examples.source_of(query.ids))
        told = {id_: answers[id_] for id_ in query.ids if id_ in answers}
        if told:
            self.tell(told, oracle.source)
        return bool(told)

    def _simulated(self) -> Sequence[Oracle]:
        """Whoever stands for a person."""
        held_back = HeldBackLabels(self.dataset.train)
        if not self.labelling.simulated:
            return (held_back,)
        if self._network_oracle is None or self._network_oracle.dataset is not self.dataset:
            self._network_oracle = NetworkOracle(
                self.dataset, self.journal, self.labelling.dataset_state, self.oracle_network
            )
        return (held_back, self._network_oracle)

    def run(self, oracle: Oracle | None = None) -> bool:
        """``step`` to the end of the plan, or until the oracle has no answer yet.

        Returns:
            Whether the plan is finished.
        """
        while not self.finished:
            if self.step(oracle) is None:
                break
        return self.finished
