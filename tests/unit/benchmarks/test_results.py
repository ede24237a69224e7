from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmarks import results, table
from scripts.benchmarks.measure import Contender
from scripts.benchmarks.results import Entry, Report
from scripts.benchmarks.settings import Settings

ABOUT = {
    "date": "2025-01-01",
    "machine": {"cpu": "abacus", "cores": 2},
    "versions": {"tensorflow": "2.21.0"},
}
PEAKS = {"flops_float32": 1e12, "flops_bfloat16": 4e12, "memory": 2e10}


def report(quick: bool = False) -> Report:
    made = Report("scoring", Settings(quick=quick), PEAKS)
    made.add("a pool", "float32", [3.0, 2.0, 1.0], "s", ours=True)
    made.add("a pool", "bfloat16", [0.5], "s", ours=True)
    made.add("a pool", "baal", [20.0, 20.0], "s", note="scaled")
    made.add("steps", "ours", [10.0], "steps/s", ours=True)
    made.add("steps", "PyTorch", [4.0], "steps/s")
    return made


def test_the_median_and_the_spread_are_kept() -> None:
    first = report().entries[0]
    assert (first.median, first.min, first.max, first.repeats) == (2.0, 1.0, 3.0, 3)


def test_a_ratio_above_one_is_in_our_favour() -> None:
    entries = report().entries
    assert results.ratios(entries[:3]) == ["baal 10×, 40×"]
    assert results.ratios(entries[3:]) == ["PyTorch 2.5×"]


def test_arithmetic_is_compared_with_the_peak_of_its_dtype() -> None:
    made = Report("scoring", Settings(repeats=1), PEAKS)
    run = {"rival": "x", "run": lambda: sum(range(10_000)), "flops": 1e6}
    made.compare("a pool", [Contender(**run), Contender(**run, dtype="bfloat16")])
    for entry, peak in zip(made.entries, (1e12, 4e12), strict=True):
        assert entry.gflop == pytest.approx(1e-3)
        assert entry.gflop_per_second is not None
        assert entry.share_of_peak == pytest.approx(entry.gflop_per_second * 1e9 / peak, rel=1e-3)


def test_a_case_replaces_itself_alone(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    block = results.block(report(), ABOUT)
    for case in ("b", "a", "b"):
        results.write(file, results.merged(results.read(file), case, block))
    saved = results.read(file)
    assert list(saved["cases"]) == ["a", "b"]
    assert results.entries_of(saved["cases"]["a"]) == report().entries
    assert {*saved["cases"]["a"]} >= {"date", "machine", "versions", "threads", "peaks"}


def test_the_table_tells_ours_and_the_ratios() -> None:
    rendered = table.markdown({"cases": {"scoring": results.block(report(), ABOUT)}})
    assert "| `scoring` | a pool | float32 2 s<br>bfloat16 0.5 s | baal 10×, 40× |" in rendered
    assert "| `scoring` | steps | ours 10 steps/s | PyTorch 2.5× |" in rendered
    assert "abacus, 2 cores, 2 threads; tensorflow 2.21.0; 2025-01-01; peaks 1.00" in rendered


def test_quick_numbers_enter_no_table() -> None:
    block = results.block(report(quick=True), ABOUT)
    with pytest.raises(ValueError, match="--quick"):
        table.markdown({"cases": {"scoring": block}})


def test_more_per_second_and_less_memory_are_better() -> None:
    def entry(median: float, unit: str) -> Entry:
        return Entry(
            case="c", setting="s", rival="r", ours=True, median=median, min=median, max=median,
            repeats=1, unit=unit,
        )  # fmt: skip

    assert entry(6.0, "images/s").times_as_good_as(entry(2.0, "images/s")) == 3.0
    assert entry(6.0, "MiB").times_as_good_as(entry(2.0, "MiB")) == pytest.approx(1 / 3)
