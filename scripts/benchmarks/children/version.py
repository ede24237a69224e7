"""Runs what is ours of a case, in the checkout that this process was started for.

Imports nothing of this checkout but through the path: the module of the case and what it is given
are those of the version that is measured.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Answer until nobody asks: seconds by what was run."""
    given = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    with contextlib.redirect_stdout(sys.stderr):
        work = _rounds(given) if given["case"] == "whole_round" else _contenders(given)
        for _ in sys.stdin:
            seconds = {}
            for name, run in work.items():
                start = time.perf_counter()
                run()
                seconds[name] = time.perf_counter() - start
            print(json.dumps(seconds), file=answers, flush=True)


def _settings(given: dict[str, Any]) -> Any:
    from scripts.benchmarks import environment
    from scripts.benchmarks.settings import Settings

    environment.prepare(given["threads"])
    return Settings(
        quick=given["quick"], full=False, repeats=1, threads=given["threads"],
        data_dir=given["data_dir"],
    )  # fmt: skip


def _contenders(given: dict[str, Any]) -> dict[str, Callable[[], object]]:
    settings = _settings(given)
    found: dict[str, Callable[[], object]] = {}

    class Listening:
        """Stands for a report: keeps what would be timed."""

        def compare(self, setting: str, contenders: list[Any]) -> None:
            for contender in contenders:
                name = f"{setting}, {contender.rival}"
                if contender.ours and re.search(given["only"], name):
                    found[name] = contender.run

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_, **__: None

    case = importlib.import_module(f"scripts.benchmarks.{given['case']}")
    # Rivals would only take the time that it takes to make them.
    for name, nothing in {"_rivals": {}, "_torch": [], "_agree": None}.items():
        if hasattr(case, name):
            setattr(case, name, lambda *_, nothing=nothing: nothing)
    case.run(settings, Listening())
    return found


def _rounds(given: dict[str, Any]) -> dict[str, Callable[[], object]]:
    from scripts.benchmarks import whole_round
    from scripts.benchmarks.worker import Worker

    settings = _settings(given)
    # Enough of them for every turn.
    config = {**whole_round._config(settings), "rounds": 20}
    worker = Worker("rounds", **config)
    worker.ask()  # the initial set
    return {f"a round: {config['steps']} steps": worker.ask}


if __name__ == "__main__":
    main()
