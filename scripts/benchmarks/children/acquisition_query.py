"""One query of an acquisition in a loop: its seconds, and what it asked for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from bgadl_tf.acquisition.acquisition import Arrays
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.loop.active_learner import ActiveLearner
from scripts.benchmarks.query_loops import loop_about_to_ask, weights_of
from scripts.benchmarks.worker import arguments, serve


class Meter:
    """Where the time of a loop's queries goes.

    Attributes:
        seeing: Seconds of passes over examples.
        training: Seconds of training networks of the acquisition's own.
        remembered: How often something was kept for later queries.
    """

    def __init__(self, loop: ActiveLearner) -> None:
        self.seeing = self.training = 0.0
        self.remembered = 0
        looked, trained, kept = loop.scorer.look, loop.fitting.train_other, loop.journal.keep

        def look(*arguments: Any, **keywords: Any) -> Iterator[Arrays]:
            parts, ended = looked(*arguments, **keywords), object()
            while True:
                start = time.perf_counter()
                part: Any = next(parts, ended)
                self.seeing += time.perf_counter() - start
                if part is ended:
                    return
                yield part

        def train(*arguments: Any, **keywords: Any) -> None:
            start = time.perf_counter()
            trained(*arguments, **keywords)
            self.training += time.perf_counter() - start

        def keep(round_: int, name: str, arrays: Any) -> None:
            self.remembered += name.startswith("remembered_")
            kept(round_, name, arrays)

        # Methods of objects that the loop has handed on already.
        for owner, name, method in (
            (loop.scorer, "look", look), (loop.fitting, "train_other", train),
            (loop.journal, "keep", keep),
        ):  # fmt: skip
            setattr(owner, name, method)


def training_of(acquisition: Any) -> str:
    """What an acquisition says about training networks of its own: 1000 steps."""
    fields = {field.name for field in dataclasses.fields(acquisition)}
    return ", ".join(
        f"{getattr(acquisition, name)} {name}" for name in ("steps", "epochs") if name in fields
    )


def main() -> None:
    """Say what is ready, or why it cannot be; then ask whenever asked to."""
    given = arguments()
    size = given.pop("size")
    work: Callable[[], dict[str, Any]] | None = None

    def answer() -> dict[str, Any]:
        nonlocal work
        if work is not None:
            return work()
        try:
            loop = loop_about_to_ask(**given)
        except ConfigError as error:
            return {"refused": str(error)}
        work = querying(loop, size)
        return {
            "learner": type(loop.learner).__name__,
            "trains": training_of(loop.acquisition),
            "weights": weights_of(loop),
            "pool": loop.pool.unlabelled_count,
        }

    serve(answer)


def querying(loop: ActiveLearner, size: int) -> Callable[[], dict[str, Any]]:
    """A query whenever it is called; what it took and asked for."""
    meter = Meter(loop)

    def query() -> dict[str, Any]:
        meter.seeing = meter.training = 0.0
        start = time.perf_counter()
        # As ``ask`` makes it, again and again: nothing is kept of it.
        asked = loop._asking.query(1, size, None)
        return {
            "seconds": time.perf_counter() - start,
            "seeing": meter.seeing,
            "training": meter.training,
            "remembered": meter.remembered,
            "picks": [int(id_) if id_.isdigit() else -1 for id_ in asked.ids],
            "facts": dict(asked.facts),
        }

    return query


if __name__ == "__main__":
    main()
