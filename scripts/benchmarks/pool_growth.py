"""Case: pools that grow, in memory and on disk.

The whole query of a round (candidates, scores, the best), in memory against scoring alone, on disk
against reading alone, and the memory that either takes above a scorer that is ready; mapped pages
of files, which the system can drop, are not counted. The files have just been written, so the
system holds them: reading is decoding, not waiting for a disk. Opening (headers of files, places of
records) is done once a run and told apart.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scripts.benchmarks import disk_pools, images
from scripts.benchmarks.results import Report
from scripts.benchmarks.settings import Settings
from scripts.benchmarks.worker import Worker

PASSES = 20
PRECISION = "mixed_bfloat16"


def run(settings: Settings, report: Report) -> None:
    """Every size in memory, then every form on disk."""
    sizes = settings.pick((1000, 10_000, 100_000), (600,))
    for count in (*sizes, 1_000_000) if settings.full else sizes:
        programs = {
            "whole query": {"source": "memory", "work": "query", "count": count},
            "scoring alone": {"source": "memory", "work": "score", "count": count},
        }
        if settings.quick:
            programs.popitem()
        _measure(f"{count:,} images in memory", programs, "whole query", count, settings, report)
    if settings.quick:
        return
    counts = (10_000,)
    for count in (*counts, 100_000) if settings.full else counts:
        with tempfile.TemporaryDirectory() as folder:
            _on_disk(Path(folder), count, settings, report)


def _on_disk(folder: Path, count: int, settings: Settings, report: Report) -> None:
    pixels, labels = images.take(images.MNIST, count, settings.data_dir)
    forms: dict[str, tuple[str, Callable[[], Path]]] = {
        "memory-mapped .npy": ("array", lambda: disk_pools.write_array(folder, pixels)),
        "TFRecord": ("records", lambda: disk_pools.write_records(folder, pixels, labels)),
        "PNG files": ("folder", lambda: disk_pools.write_folder(folder, pixels, labels)),
    }
    for form, (source, write) in forms.items():
        common = {"source": source, "path": str(write()), "count": count}
        _measure(
            f"{count:,} images, {form}",
            {
                "whole query": {**common, "work": "query"},
                "reading alone": {**common, "work": "read"},
            },
            "whole query",
            count,
            settings,
            report,
        )


def _measure(
    setting: str,
    programs: Mapping[str, Mapping[str, Any]],
    ours: str,
    count: int,
    settings: Settings,
    report: Report,
) -> None:
    """Ask one process a program in turn; the first answer of each is not counted."""
    answers: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
    with contextlib.ExitStack() as stack:
        common = {
            "path": "", "passes": PASSES, "precision": PRECISION, "data_dir": settings.data_dir
        }  # fmt: skip
        workers = {
            name: stack.enter_context(Worker("pool", **{**common, **program}))
            for name, program in programs.items()
        }
        first = {name: worker.ask() for name, worker in workers.items()}
        for _ in range(settings.repeats):
            for name, worker in workers.items():
                answers[name].append(worker.ask())
    note = f"gal_cnn, K = {PASSES}, {PRECISION}"
    for name, found in answers.items():
        rates = [count / answer["seconds"] for answer in found]
        report.add(setting, name, rates, "images/s", ours=name == ours, note=note)
    in_memory = programs[ours]["source"] == "memory"
    held = "beside the images and their ids" if in_memory else "ids and all, but mapped pages"
    for name, found in answers.items():
        mib = [answer["mib"] for answer in (first[name], *found)]
        report.add(f"{setting}: memory", name, mib, "MiB", ours=True, note=held)
    if not in_memory:
        report.fact(setting, "seconds to open", first[ours]["opening"])
    report.print_ratios(setting)
