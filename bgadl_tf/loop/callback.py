"""What may be done while the loop goes on, without being part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Id, Label
from bgadl_tf.loop.round import Round


class Callback:
    """Override what is of interest. What a callback raises ends the call that it was told in.

    Nothing of a callback is needed to resume: everything has been recorded before it is told.
    """

    def on_query(self, round_: int, query: Query) -> None:
        """A new query was made.

        Args:
            round_: The round that asks; 0 for the initial set.
            query: All of it.
        """

    def on_answers(self, round_: int, answers: Mapping[Id, Label | None]) -> None:
        """Answers were recorded; None where the oracle declined."""

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        """Some gradient steps were taken.

        Args:
            round_: The round.
            stage: Name of the part of the round, e.g. ``train``.
            step: Steps done in it.
            means: Of every loss term and metric since the last call.
        """

    def on_round(self, record: Round) -> None:
        """A round is finished and recorded."""


class Callbacks(Callback):
    """Several callbacks, told in order."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = tuple(callbacks)

    def on_query(self, round_: int, query: Query) -> None:
        for callback in self._callbacks:
            callback.on_query(round_, query)

    def on_answers(self, round_: int, answers: Mapping[Id, Label | None]) -> None:
        for callback in self._callbacks:
            callback.on_answers(round_, answers)

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        for callback in self._callbacks:
            callback.on_step(round_, stage, step, means)

    def on_round(self, record: Round) -> None:
        for callback in self._callbacks:
            callback.on_round(record)
