"""The tables of acquisitions.md, made of the committed measurements."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.query_costs import Cost, Json, Measured, measurements
from scripts.benchmarks.results import times

PAGE = Path(__file__).with_name("acquisitions.md")
BEGIN, END = "<!-- costs: make acquisitions -->", "<!-- /costs -->"
"""Between these the page holds what ``markdown`` renders."""


def markdown(saved: Json) -> str:
    """What every query of ours takes, then those that peers make, too, then where."""
    found = measurements(saved)
    if not found:
        return "Nothing is measured yet."
    return "\n".join([*_ours(found), "", *_peers(found), "", *_provenance(saved, found)])


def filled(page: str, saved: Json) -> str:
    """A page with these tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown(saved)}\n{END}{after}"


def _ours(found: Sequence[Measured]) -> list[str]:
    pools = sorted({(one.setting.space, one.setting.count) for one in found})
    rows: dict[tuple[str, int], dict[tuple[str, int], str]] = {}
    notes: dict[tuple[str, int], str] = {}
    for one in sorted(found, key=lambda one: (one.setting.acquisition, one.setting.size)):
        setting, cost = one.setting, one.costs[0]
        row = (setting.acquisition, setting.size)
        rows.setdefault(row, {})[setting.space, setting.count] = _cell(cost, one)
        notes[row] = notes.get(row) or cost.note
    heads = [f"{count:,} {space}" for space, count in pools]
    lines = [
        f"| acquisition | b | {' | '.join(heads)} | trains |", "|" + "---|" * (len(pools) + 3)
    ]  # fmt: skip
    for (name, size), cells in rows.items():
        told = " | ".join(cells.get(pool, "") for pool in pools)
        lines.append(f"| `{name}` | {size} | {told} | {notes[name, size]} |")
    return lines


def _peers(found: Sequence[Measured]) -> list[str]:
    lines = [
        "| query | ours | its selection | peer | peer's | times as fast | its selection | same |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in sorted(found, key=lambda one: (one.setting.acquisition, one.setting.count)):
        ours, *others = one.costs
        for peer in others:
            selection = "" if ours.stopped else _seconds(_selection(ours))
            lines.append(
                f"| {one.setting.key} | {_cell(ours, one)} | {selection} | {peer.name} "
                f"| {_cell(peer, one)} | {_ratio(ours.usual, ours, peer)} "
                f"| {_ratio(_selection(ours), ours, peer)} | {_same(peer)} |"
            )
    return lines


def _cell(cost: Cost, one: Measured) -> str:
    if cost.stopped == "refused":
        return f"not of {one.setting.space}"
    if cost.stopped == "failed":
        return f"failed: {cost.why}"
    memory = f"{_mib(cost.growth)} above {_mib(cost.before)}"
    if cost.stopped == "time":
        return f"> {_seconds(one.seconds)}, {memory}"
    if cost.stopped == "memory":
        return f"stopped above {_mib(one.mib)} after {_seconds(cost.first)}"
    first = f" (the first {_seconds(cost.first)})" if cost.first > 1.2 * cost.usual else ""
    return f"{_seconds(cost.usual)}{first}, {memory}"


def _selection(cost: Cost) -> float:
    """Seconds without passes over examples, which peers are given the results of."""
    return max(1e-9, cost.usual - cost.seeing)


def _ratio(seconds: float, ours: Cost, peer: Cost) -> str:
    if ours.stopped or peer.stopped not in ("", "time"):
        return ""
    if peer.stopped:
        return f"> {times(peer.first / seconds)}"
    return times(peer.usual / seconds)


def _same(peer: Cost) -> str:
    if peer.same is None:
        return ""
    return f"{peer.same} of {peer.determined}"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 10 else f"{value:.2g} s"


def _mib(value: float) -> str:
    return f"{value / 1024:.1f} GiB" if value >= 1024 else f"{value:.0f} MiB"


def _provenance(saved: Json, found: Sequence[Measured]) -> list[str]:
    """A sentence for each run that something is of."""
    told = []
    for number in sorted({one.run for one in found}):
        about = saved["runs"][number]
        machine = about["machine"]
        versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        count = sum(one.run == number for one in found)
        told.append(
            f"{count} settings: {machine['cpu']}, {machine['cores']} cores, {about['threads']} "
            f"threads, load at the start {machine['load_at_start']}; {versions}; images: "
            f"{about['images']}; {about['date']}."
        )
    return told
