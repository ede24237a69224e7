from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.benchmarks import acquisitions, query_costs, query_table
from scripts.benchmarks.query_costs import COSTS, OURS, Cost, Measured, Setting
from scripts.benchmarks.rivals.acquisition_peers import PEERS, Peer

ABOUT = {
    "date": "2025-01-01", "threads": 2, "images": "cifar10", "versions": {"tensorflow": "2.21.0"},
    "machine": {"cpu": "abacus", "cores": 2, "load_at_start": 0.5},
}  # fmt: skip
NAMES = ["badge", "batchbald", "power:bald"]
BADGE = Setting(acquisition="badge", space="vectors", count=2000, size=100)
OURS_OF_BADGE = Cost(name=OURS, first=3.0, seconds=(0.5, 0.4, 0.6), seeing=0.1, before=340.0)


def measured(setting: Setting, *costs: Cost, run: int = 0) -> Measured:
    return Measured(setting=setting, costs=costs, seconds=1800.0, mib=4096.0, run=run)


def saved(*all_measured: Measured) -> query_costs.Json:
    content, _ = query_costs.begin_run({}, ABOUT)
    for one in all_measured:
        content = query_costs.added(content, one)
    return content


def row_of(costs: Sequence[Cost], start: str) -> str:
    rendered = query_table.markdown(saved(measured(BADGE, *costs)))
    return next(line for line in rendered.splitlines() if line.startswith(start))


def test_the_quick_pools_come_first() -> None:
    counts = [setting.count for setting in acquisitions.settings(NAMES)]
    assert counts == sorted(counts)


def test_settings_are_chosen_by_name_size_and_space() -> None:
    chosen = acquisitions.settings(NAMES, ["batchbald", "power"], [20_000], "vectors")
    assert [setting.key for setting in chosen] == [
        "batchbald, 20,000 vectors, b = 10",
        "batchbald, 20,000 vectors, b = 100",
        "power:bald, 20,000 vectors, b = 100",
    ]


def test_every_registered_acquisition_is_measured() -> None:
    # Wrappers as NAME:INNER, so that each name can be created.
    from bgadl_tf.acquisition.acquisition import ACQUISITIONS, create

    names = acquisitions.names()
    assert [name.partition(":")[0] for name in names] == [*ACQUISITIONS]
    for name in names:
        create(name)
    assert {*PEERS} <= {*names}


def test_what_was_measured_is_read_again() -> None:
    one = measured(BADGE, dataclasses.replace(OURS_OF_BADGE, peak=400.0, same=1, determined=1))
    assert query_costs.measurements(saved(one)) == [one]


def test_a_setting_is_done_when_all_that_are_there_have_made_it() -> None:
    content = saved(measured(BADGE, OURS_OF_BADGE, Cost(name="small-text")))
    assert query_costs.is_done(content, BADGE, ["small-text"])
    assert not query_costs.is_done(content, BADGE, ["small-text", "scikit-activeml"])
    assert not query_costs.is_done(content, dataclasses.replace(BADGE, count=20_000), [])


def test_a_setting_replaces_itself_alone() -> None:
    other = dataclasses.replace(BADGE, acquisition="coreset")
    content = saved(measured(BADGE, OURS_OF_BADGE), measured(other, OURS_OF_BADGE))
    content, run = query_costs.begin_run(content, ABOUT)
    content = query_costs.added(content, measured(BADGE, Cost(name=OURS, first=9.0), run=run))
    badge, coreset = query_costs.measurements(content)
    assert (badge.costs[0].first, badge.run) == (9.0, 1)
    assert (coreset.costs, coreset.run) == ((OURS_OF_BADGE,), 0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Settings that the command has measured."""
    keys: list[str] = []

    def contest(setting: Setting, peers: Sequence[Peer], *_: object) -> list[Cost]:
        if "badge" in keys:
            raise KeyboardInterrupt
        keys.append(setting.acquisition)
        return [OURS_OF_BADGE, *(Cost(name=peer.name) for peer in peers)]

    monkeypatch.setattr(acquisitions, "names", lambda: ["margin", "badge", "random"])
    monkeypatch.setattr(acquisitions, "contest", contest)
    return keys


def test_a_run_that_was_interrupted_goes_on(asked: list[str], tmp_path: Path) -> None:
    command = ["--size", "2000", "--space", "images", "--out", str(tmp_path / "costs.json")]
    with pytest.raises(KeyboardInterrupt):
        acquisitions.main(command)
    assert asked == ["margin", "badge"]
    asked.clear()
    assert acquisitions.main(command) == 0
    assert asked == ["random"]
    asked.clear()
    assert acquisitions.main(command) == 0
    assert not asked
    assert acquisitions.main([*command, "--again", "--only", "margin"]) == 0
    assert asked == ["margin"]


def test_a_cell_tells_time_and_memory() -> None:
    cost = dataclasses.replace(OURS_OF_BADGE, peak=400.0)
    cell = "0.5 s (the first 3 s), 60 MiB above 340 MiB"
    assert row_of([cost], "| `badge` |") == f"| `badge` | 100 | {cell} |  |"


@pytest.mark.parametrize(
    ("ended", "cell"),
    [
        (Cost(name=OURS, stopped="time", first=1800.1, before=300.0, peak=3000.0),
         "> 1,800 s, 2.6 GiB above 300 MiB"),
        (Cost(name=OURS, stopped="memory", first=12.0), "stopped above 4.0 GiB after 12 s"),
        (Cost(name=OURS, stopped="refused", why="needs images"), "not of vectors"),
        (Cost(name=OURS, stopped="failed", why="ValueError: no"), "failed: ValueError: no"),
    ],
)  # fmt: skip
def test_a_cell_tells_what_ended_it(ended: Cost, cell: str) -> None:
    assert row_of([ended], "| `badge` |") == f"| `badge` | 100 | {cell} |  |"


def test_peers_stand_beside_ours() -> None:
    peer = Cost(name="slow", first=6.0, seconds=(5.0,), same=1, determined=1)
    cells = row_of([OURS_OF_BADGE, peer], "| badge, ").split(" | ")
    assert cells[2:4] == ["0.4 s", "slow"]
    assert cells[5:] == ["10×", "12×", "1 of 1 |"]


def test_a_peer_that_was_stopped_is_slower_than_that_or_not_compared() -> None:
    late = Cost(name="late", stopped="time", first=1800.0)
    large = Cost(name="large", stopped="memory", first=2.0)
    for peer, ratio in ((late, "> 3600×"), (large, "")):
        assert row_of([OURS_OF_BADGE, peer], "| badge, ").split(" | ")[5] == ratio


def test_the_page_is_what_the_committed_measurements_render() -> None:
    page = query_table.PAGE.read_text()
    assert page.count(query_table.BEGIN) == page.count(query_table.END) == 1
    assert page == query_table.filled(page, query_costs.read(COSTS))


def test_the_page_keeps_what_is_around_the_tables() -> None:
    page = f"before\n{query_table.BEGIN}\nold\n{query_table.END}\nafter\n"
    filled = query_table.filled(page, saved(measured(BADGE, OURS_OF_BADGE)))
    assert filled.startswith("before\n")
    assert filled.endswith("\nafter\n")
    assert "old" not in filled
    assert "abacus, 2 cores, 2 threads, load at the start 0.5; tensorflow 2.21.0" in filled
