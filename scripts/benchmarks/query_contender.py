"""A process that makes queries, and what they cost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from scripts.benchmarks.limits import Limits, Stopped
from scripts.benchmarks.query_costs import Cost, Json
from scripts.benchmarks.worker import Worker

QUICK = 20.0
"""Seconds of a first query that is followed by others."""

SETTING_UP = Limits(seconds=3600.0)
"""For reading, training and importing, before a query."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Of every contest.

    Attributes:
        limits: Of one query.
        repeats: Queries after the first one.
        data_dir: Folder of prepared TFDS datasets.
        start: Begins a program of ``children``.
    """

    limits: Limits
    repeats: int = 3
    data_dir: str | None = None
    start: Callable[..., Worker] = Worker


class Contender:
    """A process that makes queries, until it is stopped or slow.

    Args:
        name: ``OURS``, or a peer's.
        rules: Of the contest.
        program: In ``children``.
        **arguments: What it is to do.
    """

    def __init__(self, name: str, rules: Rules, program: str, **arguments: Any) -> None:
        self.cost, self._rules = Cost(name=name), rules
        self.said: Json = {}
        self.answer: Json | None = None
        self._turns = rules.repeats
        self._open = contextlib.ExitStack()
        self._worker = self._open.enter_context(rules.start(program, **arguments))

    def begin(self) -> None:
        """Set up, and make the first query."""
        with self._ending():
            self.said = self._worker.ask(SETTING_UP)
            if refused := self.said.get("refused"):
                self._end("refused", why=refused)
                return
            before = self._worker.memory
            self.cost = replace(self.cost, before=before, peak=before)
            answer = self._ask()
            self.answer = answer
            self.cost = replace(
                self.cost,
                first=answer["seconds"],
                seeing=answer.get("seeing", 0.0),
                training=answer.get("training", 0.0),
            )
            if answer["seconds"] > QUICK:
                # What is remembered is worth a look at the query that comes after.
                self._turns = min(self._turns, 1 if answer.get("remembered") else 0)

    @property
    def goes_on(self) -> bool:
        """Whether it will make another query."""
        return not self.cost.stopped and self._turns > 0

    def let_go(self) -> None:
        """End the process if it will not: its memory is not needed beside the others'."""
        if not self.goes_on:
            self.close()

    def again(self) -> None:
        """Make a query more."""
        self._turns -= 1
        with self._ending():
            answer = self._ask()
            seconds = (*self.cost.seconds, answer["seconds"])
            self.cost = replace(
                self.cost, seconds=seconds, seeing=answer.get("seeing", self.cost.seeing)
            )

    def close(self) -> None:
        """End the process."""
        self._open.close()

    def _ask(self) -> Json:
        answer = self._worker.ask(self._rules.limits)
        self.cost = replace(self.cost, peak=max(self.cost.peak, self._worker.peak))
        return answer

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except Stopped as stopped:
            peak = max(self.cost.peak, stopped.peak)
            self._end(stopped.what, first=stopped.seconds, peak=peak)
        except RuntimeError as error:
            self._end("failed", why=str(error).strip().splitlines()[-1])

    def _end(self, what: str, **changes: Any) -> None:
        self.cost = replace(self.cost, stopped=what, **changes)
        self.close()
