"""From nothing to the first gradient step; tells the seconds of each stage."""

from __future__ import annotations

import itertools
import time
from typing import Any

from scripts.benchmarks.worker import arguments, serve


def work() -> dict[str, Any]:
    """Import, build, take one step."""
    times = [time.perf_counter()]
    from bgadl_tf.engine.trainer import Trainer
    from bgadl_tf.runs.build import build
    from bgadl_tf.runs.config import RunConfig

    times.append(time.perf_counter())
    given = arguments()
    setup = build(RunConfig(**{**given, "options": tuple(given["options"])}))
    times.append(time.perf_counter())
    count = setup.config.batch_size
    train = setup.dataset.train
    trainer = Trainer(setup.learner, setup.learner.space, setup.strategy, count)
    trainer.train(train.examples[:count], train.labels[:count], (0, 0), 1)
    times.append(time.perf_counter())
    stages = ("importing", "dataset and networks", "tracing and first step")
    return dict(zip(stages, (b - a for a, b in itertools.pairwise(times)), strict=True))


if __name__ == "__main__":
    serve(work)
