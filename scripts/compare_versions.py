"""How fast another checkout of this repository is beside this one: ``--help``.

Both take turns within one run, and the other one is there twice: how far it is from itself is what
a difference has to exceed. Only what is ours is timed, not the rivals of ``benchmark.py``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
CASES = ("pool_scoring", "training_steps", "whole_round")
CHILD = HERE / "scripts/benchmarks/children/version.py"


class Version:
    """A process that runs what is ours of a case, in one checkout."""

    def __init__(self, checkout: Path, case: str, arguments: argparse.Namespace) -> None:
        settings = {
            "case": case, "quick": arguments.quick, "threads": arguments.threads,
            "data_dir": arguments.data_dir, "only": arguments.only,
        }  # fmt: skip
        self._process = subprocess.Popen(
            # -P: the folder of the program is not where its modules are looked for.
            [sys.executable, "-P", str(CHILD), json.dumps(settings)],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self) -> dict[str, float]:
        """Run everything once; seconds by what was run."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the process ended with status {self._process.wait()}")
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, case by case."""
    parser = argparse.ArgumentParser(prog="compare_versions.py", description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of another version")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="turns (default: 5)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="(default: 2)")
    parser.add_argument("--only", default="", metavar="REGEX", help="what is timed (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: only see that it works")
    parser.add_argument("--data-dir", metavar="FOLDER", help="prepared TFDS datasets")
    arguments = parser.parse_args(argv)
    if arguments.data_dir:
        arguments.data_dir = str(Path(arguments.data_dir).absolute())
    other = arguments.other.resolve()
    for case in arguments.cases or CASES:
        if case not in CASES:
            parser.error(f"unknown case {case!r}; known: {', '.join(CASES)}")
        _compare(case, other, arguments)
    return 0


def _compare(case: str, other: Path, arguments: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        versions = {}
        for name, checkout in (("other", other), ("this", HERE), ("other again", other)):
            versions[name] = Version(checkout, case, arguments)
            stack.callback(versions[name].close)
            versions[name].seconds()  # traces, and warms
        turns: list[dict[str, dict[str, float]]] = [
            {name: version.seconds() for name, version in versions.items()}
            for _ in range(arguments.repeats)
        ]
    print(f"\n{case}: {arguments.repeats} turns; seconds are medians, ratios those of a turn\n")
    print("| | other | this | this / other, least to most | other again / other |")
    print("|---|---|---|---|---|")
    for what in turns[0]["other"]:
        if any(what not in found for found in turns[0].values()):
            continue
        middle = {name: statistics.median(turn[name][what] for turn in turns) for name in turns[0]}
        cells = [f"{middle[name]:.3f}" for name in ("other", "this")]
        for name in ("this", "other again"):
            ratios = sorted(turn[name][what] / turn["other"][what] for turn in turns)
            cells.append(f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        print(f"| {what} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
