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

from bgadl_tf.loop.oracles.held_back import HeldBackLabels
from bgadl_tf.runs.build import build
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.pictures import Pictures
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
        with folder.opened(setup.described, setup.defaults):
            journal = folder.journal
            progress = Progress(folder.path, setup.learner, setup.plan, 0)
            pictures = Pictures(folder.path / "figures", setup.dataset, journal)
            loop = setup.active_learner(journal, (progress, pictures))
            clock.watch(loop.fitting.trainer, "train", "train")
            clock.watch_items(loop.scorer, "look", "score")
            clock.watch(loop.scorer, "evaluate", "evaluate")
            clock.watch(loop, "ask", "query")
            clock.watch(journal, "save_weights", "checkpoint")
            clock.watch(journal.ledger, "extend", "ledger")
            for method in ("save_query", "keep", "finish"):
                clock.watch(journal, method, "journal")
            clock.watch(progress, "on_step", "figures and TensorBoard")
            for callback in (progress, pictures):
                clock.watch(callback, "on_round", "figures and TensorBoard")
            oracle = HeldBackLabels(setup.dataset.train)

            def work() -> dict[str, Any]:
                clock.seconds.clear()
                start = time.perf_counter()
                record = loop.step(oracle)
                whole = time.perf_counter() - start
                assert record is not None
                rest = whole - sum(clock.seconds.values())
                return {
                    "whole": whole,
                    "parts": {**clock.seconds, "everything else": rest},
                    "candidates": min(setup.plan.candidates, loop.pool.unlabelled_count),
                }

            with progress:
                serve(work)


if __name__ == "__main__":
    main()
