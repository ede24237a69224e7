"""Case: where the time of a round goes, and of a start.

MNIST size, gal_cnn, VAE-ACGAN, through ``ActiveLearner`` and a real run folder with its fsyncs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from scripts.benchmarks import images
from scripts.benchmarks.results import Report
from scripts.benchmarks.settings import Settings
from scripts.benchmarks.worker import Worker

FIRST_IMPORTS = "import tensorflow, keras; keras.layers.Dense"


def run(settings: Settings, report: Report) -> None:
    """A round, then a start."""
    config = _config(settings)
    rounds(config, "a round", settings, report)
    _start(config, settings, report)


def _config(settings: Settings) -> dict[str, Any]:
    """Of a run that is as many rounds long as are timed; two more come first."""
    config: dict[str, Any] = {
        **images.grey(28, settings.data_dir),
        "data_dir": settings.data_dir,
        "method": "bgadl",
        "classifier": "gal_cnn",
        "precision": "mixed_bfloat16",
        "rounds": settings.repeats + 1,
        "query_size": 50,
        "candidates": 2000,
        "steps": 300,
        "options": [],
    }
    if settings.quick:
        config |= {
            **images.grey(16, None), "query_size": 4, "candidates": 20,
            "steps": 1, "batch_size": 4, "initial_size": 10, "options": ["width=0.1"],
        }  # fmt: skip
    return config


def rounds(config: dict[str, Any], what: str, settings: Settings, report: Report) -> None:
    """Time rounds of a run with these settings, and say where the time of one goes."""
    with Worker("rounds", **config) as worker:
        # The initial set, and the first query: everything is traced after these.
        for _ in range(2):
            worker.ask()
        timed = [worker.ask() for _ in range(settings.repeats)]
    setting = f"{what}: {config['steps']} steps, {timed[0]['candidates']:,} candidates, K = 20"
    report.add(setting, "bgadl", [found["whole"] for found in timed], "s", ours=True)
    whole = statistics.median(found["whole"] for found in timed)
    parts = {name: [found["parts"].get(name, 0.0) for found in timed] for name in _parts(timed)}
    for name, seconds in parts.items():
        share = f"{100 * statistics.median(seconds) / whole:.1f} % of the round"
        report.add(f"{setting}, of which", name, seconds, "s", ours=True, note=share)


def _parts(rounds: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for found in rounds for name in found["parts"]))


def _start(config: dict[str, Any], settings: Settings, report: Report) -> None:
    setting = "a start"
    ours: list[float] = []
    imports: list[float] = []
    stages: dict[str, list[float]] = {}
    for _ in range(settings.repeats):
        start = time.perf_counter()
        with Worker("startup", **config) as worker:
            answer = worker.ask()
            ours.append(time.perf_counter() - start)
        for stage, seconds in answer.items():
            stages.setdefault(stage, []).append(seconds)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST_IMPORTS], check=True)
        imports.append(time.perf_counter() - start)
    report.add(setting, "to the first step", ours, "s", ours=True)
    report.add(setting, "importing TensorFlow and Keras alone", imports, "s", note="the floor")
    report.print_ratios(setting)
    for stage, values in stages.items():
        report.add(f"{setting}, of which", stage, values, "s", ours=True)
