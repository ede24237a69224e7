"""One query of a peer from arrays: its seconds, and what it asked for. Imports nothing of ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmarks.worker import arguments, serve


def main() -> None:
    """Read the arrays; then ask whenever asked to."""
    given = arguments()
    work: Callable[[], dict[str, Any]] | None = None

    def answer() -> dict[str, Any]:
        nonlocal work
        if work is not None:
            return work()
        work = _querying(given)
        return {}

    serve(answer)


def _querying(given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    from scripts.benchmarks.rivals.acquisition_peers import Arrays, function_of

    folder = Path(given["folder"])
    ids, labels = np.load(folder / "ids.npy"), np.load(folder / "labels.npy")
    arrays = {name: np.load(folder / f"{name}.npy") for name in given["arrays"]}
    ask = function_of(given["peer"])
    case = Arrays(arrays, labels, len(ids), given["facts"])

    def query() -> dict[str, Any]:
        start = time.perf_counter()
        rows, scores = ask(case, given["size"])
        seconds = time.perf_counter() - start
        picks = ids[np.asarray(rows, np.int64)]
        return {"seconds": seconds, "picks": picks.tolist(), "scores": [*map(float, scores)]}

    return query


if __name__ == "__main__":
    main()
