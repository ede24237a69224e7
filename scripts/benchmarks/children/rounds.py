"""Takes rounds of a real run in a real run folder; tells where the seconds of each went.

The timers are put around the methods from outside. Time inside a timed method that another one
calls belongs to that other one alone.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from bgadl_tf.loop.oracles.oracle import HeldBackLabels
from bgadl_tf.runs.build import build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.progress import Progress
from bgadl_tf.runs.run_folder import RunFolder
from scripts.benchmarks.worker import arguments, serve


class Clock:
    """Seconds by part; what no part claims is left over."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    @contextlib.contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Time what is done within."""
        self._inside.append(0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - start
            self.seconds[part] += took - self._inside.pop()
            if self._inside:
                self._inside[-1] += took

    def watch(self, owner: Any, method: str, part: str) -> None:
        """Time every call of ``owner.method`` from now on."""
        original = getattr(owner, method)

        @functools.wraps(original)
        def timed(*values: Any, **named: Any) -> Any:
            with self.timing(part):
                return original(*values, **named)

        setattr(owner, method, timed)

    def watch_items(self, owner: Any, method: str, part: str) -> None:
        """Time everything that ``owner.method`` yields from now on."""
        original = getattr(owner, method)

        @functools.wraps(original)
        def timed(*values: Any, **named: Any) -> Iterator[Any]:
            items = original(*values, **named)
            while True:
                with self.timing(part):
                    item = next(items, None)
                if item is None:
                    return
                yield item

        setattr(owner, method, timed)


def main() -> None:
    """Answer until nobody asks; the run is thrown away."""
    given = arguments()
    # As a real run does.
    tf.config.experimental.enable_op_determinism()
    setup = build(RunConfig(**{**given, "options": tuple(given["options"])}))
    clock = Clock()
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path) / "run")
        with folder.opened(setup.described):
            folder.track(setup.learner)
            loop = setup.active_learner(folder.path, folder)
            clock.watch(setup.trainer, "train", "train")
            clock.watch_items(setup.scorer, "scores", "score")
            clock.watch(setup.scorer, "evaluate", "evaluate")
            clock.watch(setup.acquisition, "query", "query")
            clock.watch(folder, "save_weights", "checkpoint")
            clock.watch(loop.ledger, "extend", "ledger")
            for method in ("save_query", "save_generated", "finish"):
                clock.watch(folder, method, "journal")
            oracle = HeldBackLabels(setup.dataset.train)
            with Progress(folder.path, setup.plan, 0) as progress:
                clock.watch(progress, "on_step", "figures and TensorBoard")
                clock.watch(progress, "on_round", "figures and TensorBoard")
                loop.on_step = progress.on_step

                def work() -> dict[str, Any]:
                    clock.seconds.clear()
                    start = time.perf_counter()
                    record = loop.step(oracle)
                    assert record is not None
                    made = folder.generated(record.round) if record.round else None
                    progress.on_round(record, folder.rounds, made, setup.dataset)
                    whole = time.perf_counter() - start
                    rest = whole - sum(clock.seconds.values())
                    return {
                        "whole": whole,
                        "parts": {**clock.seconds, "everything else": rest},
                        "candidates": min(setup.plan.candidates, loop.pool.unlabelled_count),
                    }

                serve(work)


if __name__ == "__main__":
    main()
