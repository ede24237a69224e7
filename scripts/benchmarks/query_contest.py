"""One setting: our query and those of peers, in turns, each in a process of its own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.benchmarks.limits import Limits, Stopped
from scripts.benchmarks.query_costs import OURS, Cost, Setting
from scripts.benchmarks.rivals.acquisition_peers import ARRAYS, Peer
from scripts.benchmarks.worker import Worker

Json = dict[str, Any]

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
                self._turns = 1 if answer.get("remembered") else 0

    @property
    def goes_on(self) -> bool:
        """Whether it will make another query; a process that will not is let go of."""
        if self.cost.stopped or not self._turns:
            self.close()
            return False
        return True

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
    def _ending(self) -> Any:
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


def contest(setting: Setting, peers: Sequence[Peer], rules: Rules, pool: Path) -> list[Cost]:
    """Costs of all, ours first.

    Args:
        setting: The query.
        peers: Who makes it, too, from what ours saw.
        rules: Of every contest.
        pool: File of vectors, where they are the space.

    Raises:
        RuntimeError: What was written for the peers is of another classifier than ours.
    """
    case = {
        "acquisition": setting.acquisition, "space": setting.space, "count": setting.count,
        "path": str(pool), "data_dir": rules.data_dir,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ours = Contender(OURS, rules, "acquisition_query", **case, size=setting.size)
        stack.callback(ours.close)
        ours.begin()
        ours.cost = replace(ours.cost, note=_note(ours.said))
        going = [ours] if ours.goes_on else []
        every = [ours]
        facts = (ours.answer or {}).get("facts", {})
        peers = [peer for peer in peers if not peer.fact or peer.fact in facts]
        if peers and ours.cost.stopped != "refused":
            _write_arrays(Path(folder), setting, ours.said, rules, case)
            for peer in peers:
                contender = Contender(
                    peer.name, rules, "acquisition_peer", peer=peer.program, folder=folder,
                    arrays=ARRAYS[setting.acquisition], size=setting.size, facts=facts,
                )  # fmt: skip
                stack.callback(contender.close)
                contender.begin()
                contender.cost = replace(
                    contender.cost, note=peer.note, **compared(ours.answer, contender.answer, peer)
                )
                every.append(contender)
                if contender.goes_on:
                    going.append(contender)
        repetition = 0
        while going:
            # Another one begins every time.
            first = repetition % len(going)
            for contender in (*going[first:], *going[:first]):
                contender.again()
            going = [contender for contender in going if contender.goes_on]
            repetition += 1
        return [contender.cost for contender in every]


def compared(ours: Json | None, theirs: Json | None, peer: Peer) -> Json:
    """Of what the arrays determine, how much is the same from the first pick on.

    Returns:
        ``same``, ``determined`` and ``by`` of a ``Cost``.
    """
    if peer.determined == 0 or ours is None or theirs is None:
        return {}
    most = len(ours[peer.by]) if peer.determined is None else peer.determined
    pairs = [*zip(ours[peer.by], theirs[peer.by], strict=False)][:most]
    same = next((place for place, (a, b) in enumerate(pairs) if a != b), len(pairs))
    return {"same": same, "determined": min(most, len(ours[peer.by])), "by": peer.by}


def _write_arrays(folder: Path, setting: Setting, said: Json, rules: Rules, case: Json) -> None:
    arrays = ARRAYS[setting.acquisition]
    with rules.start("acquisition_arrays", **case, folder=str(folder), arrays=arrays) as worker:
        weights = worker.ask(SETTING_UP)["weights"]
    if said and weights != said["weights"]:
        raise RuntimeError(f"{setting.key}: two processes trained other classifiers from one seed")


def _note(said: Json) -> str:
    learner = said.get("learner", "Plain")
    return ", ".join(filter(None, (
        said.get("trains", ""), "" if learner == "Plain" else f"learner {learner}"
    )))  # fmt: skip
