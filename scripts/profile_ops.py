"""Which kinds of operations take the time: ``scripts/profile_ops.py --help``.

Runs a training step or a pass over a pool under TensorFlow's profiler and adds up what it says of
the kernels. They run one after the other here, each on all threads, so that their times add up.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.benchmarks import environment

SHAPES = {"lenet": (28, 28, 1), "gal_cnn": (28, 28, 1), "resnet18": (32, 32, 3)}
STEPS, IMAGES, BATCH, PASSES = 20, 2000, 100, 20


class Work(NamedTuple):
    """Attributes:
    run: Does it.
    units: How many units of it that is.
    unit: What one is called.
    """

    run: Callable[[], object]
    units: int
    unit: str


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(prog="profile_ops.py", description=__doc__)
    parser.add_argument("work", choices=("training", "scoring"), help="what to profile")
    parser.add_argument("--classifier", default="lenet", choices=SHAPES, help="default: lenet")
    parser.add_argument("--learner", default="vaeacgan", help="of the training (default: vaeacgan)")
    parser.add_argument("--precision", default="mixed_bfloat16", help="default: mixed_bfloat16")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="default: 2")
    parser.add_argument("--top", type=int, default=15, metavar="N", help="rows (default: 15)")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help="of the training")
    return parser


def training(learner_name: str, classifier: str, precision: str, steps: int) -> Work:
    """Steps on random images, all of them labelled, in one call of the trainer."""
    import tensorflow as tf

    from bgadl_tf.engine.trainer import Trainer
    from bgadl_tf.learners.learner import LEARNERS
    from bgadl_tf.models.classifiers.base import CLASSIFIERS

    kind, shape = LEARNERS.get(learner_name), SHAPES[classifier]
    settings = {field.name for field in dataclasses.fields(kind.options_type)}
    own: dict[str, Any] = {"unlabelled": False} if "unlabelled" in settings else {}
    learner = kind.create(
        CLASSIFIERS.get(classifier)(shape, 10, dtype=precision), kind.options_type(**own)
    )
    learner.compile()
    trainer = Trainer(learner, learner.space, tf.distribute.get_strategy(), BATCH)
    images, labels = _some(1000, shape)
    return Work(
        lambda: trainer.train(images, labels, (0, 0), steps, report_every=steps), steps, "step"
    )


def scoring(classifier: str, precision: str) -> Work:
    """BALD scores of random images."""
    import tensorflow as tf

    from bgadl_tf.acquisition.bald import BALD
    from bgadl_tf.engine.scorer import Scorer
    from bgadl_tf.learners.plain import Plain
    from bgadl_tf.models.classifiers.base import CLASSIFIERS

    shape = SHAPES[classifier]
    learner = Plain(CLASSIFIERS.get(classifier)(shape, 10, dtype=precision))
    scorer = Scorer(learner, tf.distribute.get_strategy(), PASSES)
    images = _some(IMAGES, shape)[0]
    return Work(lambda: [*scorer.look(images, 0, BALD().score)], 1, "pass over the pool")


def _some(count: int, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape), np.uint8), rng.integers(0, 10, count, np.int32)


def kernels(work: Work) -> tuple[dict[str, float], Counter[str]]:
    """Milliseconds and calls of every kind of operation, for one unit of work.

    The work is done once before, so that nothing is traced.
    """
    import tensorflow as tf

    work.run()
    milliseconds: dict[str, float] = defaultdict(float)
    calls: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        work.run()
        tf.profiler.experimental.stop()
        (trace,) = Path(folder).rglob("*.xplane.pb")
        for kind, picoseconds in _own_times(trace):
            milliseconds[kind] += picoseconds / 1e9 / work.units
            calls[kind] += 1
    return milliseconds, calls


def _own_times(trace: Path) -> Iterable[tuple[str, float]]:
    """Kind and own time of every kernel: without what others that it waited for took."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(trace.read_bytes())
    for plane in space.planes:
        if "CPU" not in plane.name:
            continue
        for line in plane.lines:
            yield from _of_thread(line.events, plane.event_metadata)


def _of_thread(events: Iterable[Any], names: Any) -> Iterable[tuple[str, float]]:
    inside: list[list[Any]] = []  # name, end, own time
    for event in sorted(events, key=lambda e: (e.offset_ps, -e.duration_ps)):
        while inside and inside[-1][1] <= event.offset_ps:
            yield from _kernel(*inside.pop())
        if inside:
            inside[-1][2] -= event.duration_ps
        name = names[event.metadata_id].name
        inside.append([name, event.offset_ps + event.duration_ps, event.duration_ps])
    while inside:
        yield from _kernel(*inside.pop())


def _kernel(name: str, end: float, own: float) -> Iterable[tuple[str, float]]:
    node, colon, kind = name.rpartition(":")
    if colon and node and not node.endswith(":"):
        yield kind.strip(), own


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    given = make_parser().parse_args(argv)
    environment.prepare(given.threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    work = (
        training(given.learner, given.classifier, given.precision, given.steps)
        if given.work == "training"
        else scoring(given.classifier, given.precision)
    )
    milliseconds, calls = kernels(work)
    total = sum(milliseconds.values())
    print(f"{given.work}, {given.classifier}, {given.precision}: {total:.1f} ms a {work.unit}")
    for kind, value in sorted(milliseconds.items(), key=lambda item: -item[1])[: given.top]:
        print(
            f"{value:9.2f} ms {100 * value / total:4.0f} % {calls[kind] / work.units:7.1f} {kind}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
