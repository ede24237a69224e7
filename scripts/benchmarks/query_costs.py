"""What queries cost, as JSON: one block a setting, kept as soon as it is measured."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.benchmarks import results

Json = dict[str, Any]

COSTS = Path(__file__).with_name("acquisitions.json")
"""The measurements of record."""

OURS = "bgadl_tf"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One query.

    Attributes:
        acquisition: Its name, ``NAME`` or ``NAME:INNER``.
        space: ``images`` or ``vectors``.
        count: N, the candidates.
        size: b.
    """

    acquisition: str
    space: str
    count: int
    size: int

    @property
    def key(self) -> str:
        """Its name in the file."""
        return f"{self.acquisition}, {self.count:,} {self.space}, b = {self.size}"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one contender took for it.

    Attributes:
        name: ``OURS``, or a peer's.
        first: Seconds of the first query, with what is traced, compiled or remembered in it; of a
            contender that was stopped, seconds until then.
        seconds: Of later ones in the same process; none where the first took long.
        seeing: Of a query's seconds, those of passes over examples.
        training: Those of training networks of the acquisition's own, of the first query.
        before: Resident memory that no file backs before the first query, MiB.
        peak: The largest during all of them.
        stopped: ``time`` or ``memory``, which it was ended for; ``refused`` or ``failed``; or "".
        why: What it said when it refused or failed.
        note: What a reader must know.
        same: How many of the picks that are determined are ours, one after the other from the
            first; None where none are, or ours are not there.
        determined: How many are.
    """

    name: str
    first: float = 0.0
    seconds: tuple[float, ...] = ()
    seeing: float = 0.0
    training: float = 0.0
    before: float = 0.0
    peak: float = 0.0
    stopped: str = ""
    why: str = ""
    note: str = ""
    same: int | None = None
    determined: int = 0

    @property
    def ours(self) -> bool:
        """Whether it is bgadl_tf."""
        return self.name == OURS

    @property
    def usual(self) -> float:
        """Seconds of a query: the median of the later ones, else of the first."""
        return statistics.median(self.seconds or (self.first,))

    @property
    def growth(self) -> float:
        """Memory that the query took above what was there, MiB."""
        return max(0.0, self.peak - self.before)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A setting with what everybody took.

    Attributes:
        setting: Of all.
        costs: Ours first.
        seconds: The limit of a query.
        mib: The limit of memory.
        run: Number of the run, in which machine and versions are told.
    """

    setting: Setting
    costs: tuple[Cost, ...]
    seconds: float
    mib: float
    run: int


def is_done(saved: Json, setting: Setting, peers: Collection[str]) -> bool:
    """Whether a setting is measured, with all of these peers beside."""
    block = saved.get("settings", {}).get(setting.key)
    return block is not None and {OURS, *peers} <= {cost["name"] for cost in block["costs"]}


def begin_run(saved: Json, about: Json) -> tuple[Json, int]:
    """The file's content with a further run in it, and the number of that."""
    runs = [*saved.get("runs", []), about]
    return {"runs": runs, "settings": saved.get("settings", {})}, len(runs) - 1


def added(saved: Json, measured: Measured) -> Json:
    """The file's content with a setting in it, in the place of an older measurement of it."""
    block = asdict(measured)
    block["costs"] = [_short(cost) for cost in measured.costs]
    return {**saved, "settings": {**saved["settings"], measured.setting.key: block}}


def read(path: Path) -> Json:
    """Saved measurements; none where there is no file."""
    return results.read(path) if path.exists() else {"runs": [], "settings": {}}


def measurements(saved: Json) -> Sequence[Measured]:
    """All that are saved."""
    return [
        Measured(**{
            **block,
            "setting": Setting(**block["setting"]),
            "costs": tuple(
                Cost(**{**cost, "seconds": tuple(cost.get("seconds", ()))})
                for cost in block["costs"]
            ),
        })
        for block in saved.get("settings", {}).values()
    ]  # fmt: skip


def _short(cost: Cost) -> Json:
    """Without what is as it is by default, and with four figures."""
    usual = asdict(Cost(name=""))
    block = {key: value for key, value in asdict(cost).items() if value != usual[key]}
    for key, value in block.items():
        if isinstance(value, float):
            block[key] = _rounded(value)
    if "seconds" in block:
        block["seconds"] = [_rounded(value) for value in block["seconds"]]
    return block


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
