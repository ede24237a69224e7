"""One setting: our query and those of peers, in turns, each in a process of its own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scripts.benchmarks.limits import Stopped
from scripts.benchmarks.query_contender import SETTING_UP, Contender, Rules
from scripts.benchmarks.query_costs import OURS, Cost, Json, Setting
from scripts.benchmarks.rivals.acquisition_peers import ARRAYS, Peer


def contest(setting: Setting, peers: Sequence[Peer], rules: Rules, pool: Path) -> list[Cost]:
    """Costs of all, ours first.

    Args:
        setting: The query.
        peers: Who makes it, too, from what ours saw.
        rules: Of every contest.
        pool: File of vectors, where they are the space.
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
        if not peers or ours.cost.stopped == "refused":
            _take_turns([ours])
            return [ours.cost]
        seen = {
            "folder": folder, "arrays": ARRAYS[setting.acquisition],
            "facts": (ours.answer or {}).get("facts", {}),
        }  # fmt: skip
        ours.let_go()
        try:
            _write_arrays(ours, rules, {**case, **seen})
        except (RuntimeError, Stopped) as error:
            _take_turns([ours])
            return [ours.cost, *(_failed(peer, error) for peer in peers)]
        every = [ours]
        for peer in peers:
            if not peer.fact or peer.fact in seen["facts"]:
                every.append(_begun(peer, setting, rules, seen, ours))
                stack.callback(every[-1].close)
        _take_turns(every)
        return [contender.cost for contender in every]


def _begun(peer: Peer, setting: Setting, rules: Rules, seen: Json, ours: Contender) -> Contender:
    """A peer that has made its first query."""
    contender = Contender(
        peer.name, rules, "acquisition_peer", **seen, peer=peer.program, size=setting.size
    )
    contender.begin()
    contender.let_go()
    same = _compared(peer, ours.answer, contender.answer, rules, seen)
    contender.cost = replace(contender.cost, note=peer.note, **same)
    return contender


def _take_turns(contenders: Sequence[Contender]) -> None:
    """Queries after the first ones; another contender begins every time."""
    going, repetition = [*contenders], 0
    while going := [contender for contender in going if contender.goes_on]:
        first = repetition % len(going)
        for contender in (*going[first:], *going[:first]):
            contender.again()
            contender.let_go()
        repetition += 1


def compared(ours: Sequence[int], theirs: Sequence[int], determined: int | None) -> Json:
    """Of the picks that are determined, all if None, how many are the same from the first on.

    Returns:
        ``same`` and ``determined`` of a ``Cost``.
    """
    most = len(ours) if determined is None else min(determined, len(ours))
    pairs = [*zip(ours, theirs, strict=False)][:most]
    same = next((place for place, (a, b) in enumerate(pairs) if a != b), len(pairs))
    return {"same": same, "determined": most}


def _compared(peer: Peer, ours: Json | None, theirs: Json | None, rules: Rules, seen: Json) -> Json:
    if peer.determined == 0 or ours is None or theirs is None:
        return {}
    picks = ours["picks"]
    if not peer.check:
        return compared(picks, theirs["picks"], peer.determined)
    given = {**seen, "peer": peer.check, "picks": picks}
    with rules.start("acquisition_peer", **given) as worker, contextlib.suppress(Stopped):
        worker.ask(SETTING_UP)
        return {"same": worker.ask(rules.limits)["same"], "determined": len(picks)}
    return {}


def _write_arrays(ours: Contender, rules: Rules, given: Json) -> None:
    """What ours sees, into files.

    Raises:
        RuntimeError: It is of another classifier than ours.
    """
    given = {name: value for name, value in given.items() if name != "facts"}
    with rules.start("acquisition_arrays", **given) as worker:
        weights = worker.ask(SETTING_UP)["weights"]
    if ours.said and weights != ours.said["weights"]:
        raise RuntimeError("two processes trained other classifiers from one seed")


def _failed(peer: Peer, error: Exception) -> Cost:
    return Cost(name=peer.name, stopped="failed", why=str(error).strip().splitlines()[-1])


def _note(said: Json) -> str:
    learner = said.get("learner", "Plain")
    return ", ".join(filter(None, (
        said.get("trains", ""), "" if learner == "Plain" else f"learner {learner}"
    )))  # fmt: skip
