"""One query of a peer from arrays: its seconds, and what it asked for; or a check of our query.

Nothing of bgadl_tf is imported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmarks.worker import arguments, serve


def main() -> None:
    """Read the arrays; then ask, or check, whenever asked to."""
    given = arguments()
    work: Callable[[], dict[str, Any]] | None = None

    def answer() -> dict[str, Any]:
        nonlocal work
        if work is not None:
            return work()
        work = _working(given)
        return {}

    serve(answer)


def _working(given: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    from scripts.benchmarks.rivals.acquisition_peers import Arrays, function_of

    folder = Path(given["folder"])
    ids, labels = np.load(folder / "ids.npy"), np.load(folder / "labels.npy")
    arrays = {name: np.load(folder / f"{name}.npy") for name in given["arrays"]}
    case = Arrays(arrays, labels, len(ids), given["facts"])
    function = function_of(given["peer"])

    def query() -> dict[str, Any]:
        start = time.perf_counter()
        rows = function(case, given["size"])
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "picks": ids[np.asarray(rows, np.int64)].tolist()}

    def check() -> dict[str, Any]:
        places = {id_: row for row, id_ in enumerate(ids.tolist())}
        return {"same": function(case, [places[id_] for id_ in given["picks"]])}

    return check if "picks" in given else query


if __name__ == "__main__":
    main()
