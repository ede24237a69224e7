"""The command line: which cases, how large, and where the numbers go."""

from __future__ import annotations

import argparse
import importlib
import logging
import time
from collections.abc import Sequence
from importlib import util
from pathlib import Path

from scripts.benchmarks import environment, results, table
from scripts.benchmarks.settings import Settings

CASES = {
    "pool_scoring": "BALD scores of a pool, K passes, against baal and plain Keras",
    "pool_growth": "pools of 1k to 100k images, in memory and on disk: time and memory",
    "features": "a query over a million vectors against baal, and rounds of BGADL in features",
    "training_steps": "VAE-ACGAN steps against the released algorithm in PyTorch and plain Keras",
    "whole_round": "where the time of a round goes; starting up; checkpoints and ledger",
    "embedding": "features of images, written to disk, against the bare backbone",
    "replicas": "two replicas on a split CPU against one device",
    "serving": "BALD requests a second against the same model without a server",
}
"""Each has a module of its name with ``run(settings, report)``."""

NEEDS = {
    "serving": ("grpc", "grpc_health", "prometheus_client", "requests", "starlette", "uvicorn")
}
"""Packages of the extra ``serve`` that a case cannot go without."""


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="benchmark.py",
        description="Measure bgadl_tf against its rivals, on the CPU. Rivals whose packages are "
        "missing are left out.",
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="cases to run (default: all)")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument(
        "--table", type=Path, metavar="FILE.json", help="render the table of README.md and stop"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only see that it works")
    parser.add_argument("--full", action="store_true", help="the largest sizes, too")
    parser.add_argument("--repeats", type=int, metavar="N", help="of everything timed (default: 5)")
    parser.add_argument(
        "--threads", type=int, default=2, metavar="N", help="of each framework (default: 2)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE.json", help="where results go, replacing those of a case"
    )
    parser.add_argument(
        "--data-dir", metavar="FOLDER", help="prepared TFDS datasets mnist and cifar10"
    )
    parser.add_argument(
        "--backbone", type=Path, metavar="FILE.keras",
        help="of the case embedding; takes pixels from 0 to 255 (default: MobileNetV3Small, random "
        "weights)",
    )  # fmt: skip
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        print("\n".join(f"{name:16}{what}" for name, what in CASES.items()))
        return 0
    if arguments.table:
        print(table.markdown(results.read(arguments.table)))
        return 0
    if unknown := sorted({*arguments.cases} - {*CASES}):
        parser.error(f"unknown case {unknown[0]!r}; known: {', '.join(CASES)}")
    if arguments.quick and arguments.full:
        parser.error("--quick and --full contradict each other")
    if arguments.quick and arguments.out and arguments.out.resolve() == results.RESULTS:
        parser.error("--quick measures nothing: write it elsewhere than the measurements of record")
    settings = Settings(
        quick=arguments.quick,
        full=arguments.full,
        repeats=arguments.repeats or (1 if arguments.quick else 5),
        threads=arguments.threads,
        data_dir=arguments.data_dir and str(Path(arguments.data_dir).absolute()),
        backbone=arguments.backbone and str(arguments.backbone.absolute()),
    )
    _run(arguments.cases or list(CASES), settings, arguments.out)
    return 0


def _run(cases: Sequence[str], settings: Settings, out: Path | None) -> None:
    environment.prepare(settings.threads)
    # TensorFlow reads the environment when it is imported.
    from scripts.benchmarks import images, machine, peaks

    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    about = {**machine.describe(), "real_images": images.real(settings.data_dir)}
    measured = peaks.measure(settings)
    for name in cases:
        if absent := [package for package in NEEDS.get(name, ()) if not util.find_spec(package)]:
            print(f"{name}: left out: no {', '.join(absent)} (pip install '.[serve]')", flush=True)
            continue
        print(f"{name}:", flush=True)
        start = time.monotonic()
        report = results.Report(name, settings, measured)
        importlib.import_module(f"scripts.benchmarks.{name}").run(settings, report)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
        if out is not None:
            block = results.block(report, about)
            results.write(out, results.merged(results.read(out), name, block))
