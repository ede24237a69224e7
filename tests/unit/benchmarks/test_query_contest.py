from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from scripts.benchmarks import limits, query_contest
from scripts.benchmarks.children import acquisition_arrays, acquisition_query
from scripts.benchmarks.limits import Limits, Stopped
from scripts.benchmarks.query_contender import Rules
from scripts.benchmarks.query_costs import OURS, Cost, Setting
from scripts.benchmarks.query_loops import WIDTH, loop_about_to_ask, total
from scripts.benchmarks.rivals.acquisition_peers import PEERS, Arrays, Peer, function_of
from scripts.benchmarks.vectors import mapped

CORESET = Setting(acquisition="coreset", space="vectors", count=300, size=3)


def process(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def ended(running: subprocess.Popen[str]) -> None:
    assert running.stdout
    running.stdout.close()
    running.wait()


def test_a_process_is_waited_for_and_its_memory_seen() -> None:
    running = process(
        "import time; x = bytearray(b'x') * 2**26; print('done', flush=True); time.sleep(100)"
    )
    try:
        assert limits.wait(running, Limits(seconds=60.0)) > 60.0
    finally:
        running.kill()
        ended(running)


@pytest.mark.parametrize(
    ("limit", "what"), [(Limits(seconds=0.3), "time"), (Limits(mib=100.0, seconds=60.0), "memory")]
)
def test_a_process_over_a_limit_is_ended(limit: Limits, what: str) -> None:
    running = process("import time; x = bytearray(b'x') * 2**27; time.sleep(100)")
    with pytest.raises(Stopped) as stopped:
        limits.wait(running, limit)
    assert stopped.value.what == what
    assert running.returncode
    ended(running)


class Told:
    """Stands for a ``Worker`` whose answers are told, and notes who was asked."""

    def __init__(self, log: list[str], answers: Sequence[Any]) -> None:
        self.name, *self._answers = answers
        self._log, self.memory, self.peak = log, 300.0, 350.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def ask(self, limits: Limits | None = None) -> dict[str, Any]:
        self._log.append(self.name)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


READY = {"learner": "Plain", "trains": "", "weights": 1}


def picked(seconds: float, *picks: int, **more: Any) -> dict[str, Any]:
    return {"seconds": seconds, "picks": [*picks], "facts": {}, **more}


def held(
    ours: Sequence[Any], *theirs: tuple[Peer, Sequence[Any]], weights: int = 1
) -> tuple[list[Cost], list[str]]:
    """A contest of answers that are told; its costs, and who was asked."""
    log: list[str] = []
    workers: Iterator[Told] = iter([
        Told(log, ["ours", *ours]),
        *([Told(log, ["arrays", {"weights": weights}])] if theirs else []),
        *(Told(log, [peer.name, {}, *answers]) for peer, answers in theirs),
    ])  # fmt: skip
    rules: Any = Rules(limits=Limits(), repeats=2, start=lambda *_, **__: next(workers))
    peers = [peer for peer, _ in theirs]
    return query_contest.contest(CORESET, peers, rules, Path()), log


def peer(name: str = "peer", **more: Any) -> Peer:
    return Peer(name=name, package="p", program="m.f", **more)


def test_contenders_take_turns_and_another_one_begins() -> None:
    one = picked(1.0, 5, 6, 7)
    costs, log = held([READY, one, one, one], (peer(determined=None), [one, one, one]))
    assert log == ["ours", "ours", "arrays", "peer", "peer", "ours", "peer", "peer", "ours"]
    assert [cost.name for cost in costs] == [OURS, "peer"]
    assert [len(cost.seconds) for cost in costs] == [2, 2]
    assert (costs[0].before, costs[0].peak, costs[0].growth) == (300.0, 350.0, 50.0)


def test_a_slow_first_query_is_the_only_one_unless_it_remembers() -> None:
    (cost,), log = held([READY, picked(99.0)])
    assert (cost.usual, log) == (99.0, ["ours", "ours"])
    (cost,), _ = held([READY, picked(99.0, remembered=1), picked(2.0)])
    assert (cost.first, cost.usual) == (99.0, 2.0)


def test_who_is_stopped_or_fails_is_asked_no_more() -> None:
    slow = Stopped("time", 9.0, 777.0)
    one = picked(1.0, 5, 6, 7)
    costs, _ = held(
        [READY, one, one, one],
        (peer("slow"), [slow]),
        (peer("broken"), [RuntimeError("peer ended with status 1: …\nValueError: no")]),
    )
    assert [(cost.stopped, cost.why) for cost in costs] == [
        ("", ""), ("time", ""), ("failed", "ValueError: no")
    ]  # fmt: skip
    assert (costs[1].first, costs[1].peak) == (9.0, 777.0)


def test_what_refuses_has_no_peers() -> None:
    costs, log = held([{"refused": "needs images"}], (peer(), []))
    assert [(cost.stopped, cost.why) for cost in costs] == [("refused", "needs images")]
    assert log == ["ours"]


def test_peers_are_not_compared_in_arrays_of_another_classifier() -> None:
    one = picked(1.0)
    costs, _ = held([READY, one, one, one], (peer(), []), weights=2)
    assert (costs[0].usual, costs[1].stopped) == (1.0, "failed")


def test_who_needs_a_fact_that_ours_did_not_find_is_left_out() -> None:
    one = picked(1.0)
    costs, _ = held([READY, one, one, one], (peer(fact="delta"), []))
    assert [cost.name for cost in costs] == [OURS]


def test_determined_picks_are_compared_from_the_first_on() -> None:
    assert query_contest.compared([1, 2, 3], [1, 2, 4], None) == {"same": 2, "determined": 3}
    assert query_contest.compared([1, 2, 3], [1, 9, 3], 1) == {"same": 1, "determined": 1}
    assert query_contest.compared([1, 2], [2, 1], 4) == {"same": 0, "determined": 2}


def test_what_is_written_for_peers_is_what_the_query_saw(tmp_path: Path) -> None:
    mapped(tmp_path / "pool.npy", total(300), WIDTH)
    loop = loop_about_to_ask("coreset", "vectors", 300, str(tmp_path / "pool.npy"), None)
    assert loop.pool.unlabelled_count == 300
    assert np.bincount([*loop.pool.labels.values()]).tolist() == [10] * 10
    acquisition_arrays.write(tmp_path, ["penultimate"], loop)
    vectors = np.load(tmp_path / "penultimate.npy").astype(np.float64)
    far = np.linalg.norm(vectors[:300, None] - vectors[None, 300:], axis=2).min(1)
    rows = []
    for _ in range(5):
        rows.append(int(far.argmax()))
        far = np.minimum(far, np.linalg.norm(vectors[:300] - vectors[rows[-1]], axis=1))
    query = acquisition_query.querying(loop, 5)
    answer = query()
    assert answer["picks"] == np.load(tmp_path / "ids.npy")[rows].tolist()
    assert 0.0 < answer["seeing"] < answer["seconds"]
    assert query()["picks"] == answer["picks"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "peer", [peer for peers in PEERS.values() for peer in peers], ids=lambda peer: peer.program
)
def test_peers_pick_candidates(peer: Peer) -> None:
    pytest.importorskip(peer.package)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 6)).astype(np.float32)
    passes = rng.dirichlet(np.ones(10), (50, 20)).astype(np.float32)
    arrays = {
        "inputs": vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        "penultimate": vectors, "probs": passes.mean(1), "passes": passes,
    }  # fmt: skip
    case = Arrays(arrays, np.arange(10, dtype=np.int32), 50, {"delta": 0.5})
    rows = function_of(peer.program)(case, 4)
    assert len({*rows}) == 4
    assert {*rows} <= {*range(50)}
    if peer.check:
        assert function_of(peer.check)(case, rows) == 4
