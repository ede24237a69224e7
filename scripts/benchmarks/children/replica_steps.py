"""Trains a learner on one device or on replicas; tells the seconds of some steps."""

from __future__ import annotations

import time
from typing import Any

from bgadl_tf.engine.strategies import make_strategy
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from scripts.benchmarks import images
from scripts.benchmarks.worker import arguments, serve


def main() -> None:
    """Answer until nobody asks."""
    given = arguments()
    replicas, steps = given["replicas"], given["steps"]
    strategy = make_strategy("mirrored" if replicas > 1 else "one_device", replicas)
    shape = tuple(given["shape"])
    pixels, labels = images.take(shape, 1000, given["data_dir"])
    with strategy.scope():
        learner_type = LEARNERS.get(given["learner"])
        classifier = CLASSIFIERS.get(given["classifier"])(shape, 10)
        learner = learner_type.create(classifier, learner_type.options_type(**given["options"]))
        learner.compile()
    trainer = Trainer(learner, learner.space, strategy, given["batch"])

    def work() -> dict[str, Any]:
        start = time.perf_counter()
        trainer.train(pixels, labels, (0, 0), steps, 0, unlabelled=pixels, report_every=steps)
        return {"seconds": time.perf_counter() - start}

    serve(work)


if __name__ == "__main__":
    main()
