"""What was measured, as JSON: one block a case, which a later run of that case replaces."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.benchmarks.measure import Contender, interleave
from scripts.benchmarks.settings import Settings

Json = dict[str, Any]

RESULTS = Path(__file__).with_name("results.json")
"""The measurements of record."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One number.

    Attributes:
        case: Of the instrument.
        setting: What was worked on.
        rival: Who worked.
        ours: Whether that is bgadl_tf.
        median: Over the repetitions, as ``min`` and ``max``.
        min: Smallest.
        max: Largest.
        repeats: Repetitions.
        unit: ``s``, ``ms`` or ``MiB``, of which less is better, or something ``/s``.
        note: What a reader must know.
        gflop: Billions of floating-point operations of one repetition.
        gflop_per_second: At the median.
        share_of_peak: Of the largest rate measured in the same run in the same arithmetic.
    """

    case: str
    setting: str
    rival: str
    ours: bool
    median: float
    min: float
    max: float
    repeats: int
    unit: str
    note: str = ""
    gflop: float | None = None
    gflop_per_second: float | None = None
    share_of_peak: float | None = None

    def times_as_good_as(self, other: Entry) -> float:
        """How many times as fast, or as small, this is as another entry of the same unit."""
        ratio = self.median / other.median
        return ratio if self.unit.endswith("/s") else 1.0 / ratio


class Report:
    """Collects what a case finds, and prints it as it comes.

    Args:
        case: Its name.
        settings: Of this call.
        peaks: Measured in this run, ``peaks.measure``.
    """

    def __init__(self, case: str, settings: Settings, peaks: Json) -> None:
        self.case, self.settings, self.peaks = case, settings, peaks
        self.entries: list[Entry] = []
        self.facts: list[Json] = []
        self.missing: list[str] = []

    def compare(self, setting: str, contenders: Sequence[Contender]) -> None:
        """Time contenders in turn and keep their values."""
        timed = interleave([contender.run for contender in contenders], self.settings.repeats)
        for contender, seconds in zip(contenders, timed, strict=True):
            self.add(
                setting,
                contender.rival,
                [contender.value(value) for value in seconds],
                contender.unit,
                ours=contender.ours,
                note=contender.note,
                **self._arithmetic(contender, statistics.median(seconds)),
            )
        self.print_ratios(setting)

    def add(
        self,
        setting: str,
        rival: str,
        values: Sequence[float],
        unit: str,
        ours: bool = False,
        note: str = "",
        **arithmetic: float | None,
    ) -> None:
        """Keep the values of the repetitions of one rival."""
        entry = Entry(
            case=self.case,
            setting=setting,
            rival=rival,
            ours=ours,
            median=_rounded(statistics.median(values)),
            min=_rounded(min(values)),
            max=_rounded(max(values)),
            repeats=len(values),
            unit=unit,
            note=note,
            **arithmetic,
        )
        self.entries.append(entry)
        share = f"  {100 * entry.share_of_peak:.0f} % of peak" if entry.share_of_peak else ""
        spread = f"({entry.min:.4g} to {entry.max:.4g})"
        print(
            f"  {setting}: {rival}: {entry.median:.4g} {unit} {spread}{share}  {note}", flush=True
        )

    def fact(self, setting: str, name: str, value: float | str) -> None:
        """Keep something that is no duration."""
        value = _rounded(value) if isinstance(value, float) else value
        self.facts.append({"setting": setting, "name": name, "value": value})
        print(f"  {setting}: {name}: {value}", flush=True)

    def goes_without(self, rival: str, extra: str) -> None:
        """Say that a rival is left out since its package is not installed."""
        if rival not in self.missing:
            self.missing.append(rival)
            print(f"  without {rival}: not installed (pip install '.[{extra}]')", flush=True)

    def print_ratios(self, setting: str) -> None:
        """How our entries compare with the others of a setting."""
        for line in ratios(entry for entry in self.entries if entry.setting == setting):
            print(f"  {setting}: {line}", flush=True)

    def _arithmetic(self, contender: Contender, seconds: float) -> dict[str, float | None]:
        if contender.flops is None:
            return {}
        rate = contender.flops / seconds
        peak = self.peaks.get(f"flops_{contender.dtype}")
        return {
            "gflop": _rounded(contender.flops / 1e9),
            "gflop_per_second": _rounded(rate / 1e9),
            "share_of_peak": _rounded(rate / peak) if peak else None,
        }


def ratios(entries: Iterable[Entry]) -> list[str]:
    """For each rival, how many times as good each entry of ours is."""
    entries = list(entries)
    ours = [entry for entry in entries if entry.ours]
    return [
        f"{rival.rival} "
        + ", ".join(
            f"{times(own.times_as_good_as(rival))}" for own in ours if own.unit == rival.unit
        )
        for rival in entries
        if not rival.ours and any(own.unit == rival.unit for own in ours)
    ]


def times(ratio: float) -> str:
    """A ratio to two or three figures: 0.45×, 3.1×, 85×."""
    return f"{ratio:.2f}×" if ratio < 1 else f"{ratio:.1f}×" if ratio < 10 else f"{ratio:.0f}×"


def merged(saved: Json, case: str, block: Json) -> Json:
    """Results in which one case is new."""
    cases = {**saved.get("cases", {}), case: block}
    return {"cases": dict(sorted(cases.items()))}


def block(report: Report, about: Json) -> Json:
    """The JSON of a case.

    Args:
        report: Of the case.
        about: Machine, versions, date, images.
    """
    return {
        **about,
        "quick": report.settings.quick,
        "threads": report.settings.threads,
        "peaks": report.peaks,
        "missing": report.missing,
        "facts": report.facts,
        "entries": [
            {key: value for key, value in asdict(entry).items() if value not in (None, "")}
            for entry in report.entries
        ],
    }


def read(path: Path) -> Json:
    """Saved results; none where there is no file."""
    return json.loads(path.read_text()) if path.exists() else {"cases": {}}


def write(path: Path, results: Json) -> None:
    """Save results; whoever reads meanwhile sees the old or the new file."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    partial.replace(path)


def entries_of(block: Json) -> list[Entry]:
    """The entries of a block."""
    return [Entry(**entry) for entry in block["entries"]]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
