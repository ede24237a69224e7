"""Reads a pool, scores it, or makes the whole query of a round; tells seconds and memory."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.types import Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.images import image_files
from bgadl_tf.data.images.looking import look_at
from bgadl_tf.data.images.tree import read_tree
from bgadl_tf.data.read_ahead import read_ahead
from bgadl_tf.data.records import tfds_records
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.plain import Plain
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.journal import Moment, Named
from bgadl_tf.loop.ledger import Ledger
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.round import Round
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from scripts.benchmarks import images as samples
from scripts.benchmarks.disk_pools import RECORDS
from scripts.benchmarks.memory import Peak, anonymous
from scripts.benchmarks.worker import arguments, serve

MIB = 2**20


class Memo:
    """A journal of a run that has trained once and forgets every query when told so."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder / "labels.jsonl")
        self.asked: Query | None = None

    def begin(self, plan: Plan) -> None: ...

    def track(self, learner: Learner) -> None: ...

    def finished(self) -> list[Json]:
        return [{}]

    def query(self, round_: int) -> Query | None:
        return self.asked if round_ else Query((), ())

    def save_query(self, round_: int, query: Query, mask_seed: int) -> None:
        self.asked = query

    def kept(self, round_: int, name: str) -> Named | None:
        return None

    def keep(self, round_: int, name: str, arrays: Named) -> None: ...

    def restore(self) -> Moment | None:
        return Moment(0, 0, 1)

    def save_weights(self, moment: Moment, now: bool) -> None: ...

    def finish(self, record: Round) -> None: ...


def opened(source: str, path: Path, count: int, data_dir: str | None) -> ExampleSource:
    """Brings the images into reach.

    Args:
        source: ``memory``, or what is read as scoring goes on: ``array`` (memory-mapped),
            ``records`` or ``folder``.
        path: Of the pool on disk.
        count: Images of the one in memory.
        data_dir: Folder of prepared TFDS datasets.
    """
    if source == "memory":
        return samples.take(samples.MNIST, count, data_dir)[0]
    if source == "array":
        return np.load(path, mmap_mode="r")
    if source == "folder":
        entries = [*read_tree(path).root.all_files()]
        return image_files.read_images(
            path,
            entries,
            look_at(entries),
            image_size=None,
            resize="stretch",
            stream=True,
            max_unreadable=0.0,
        ).images
    import tensorflow_datasets as tfds

    builder = tfds.builder(RECORDS, data_dir=path)
    return tfds_records.read_split(builder, "train", None, stream=True).examples


def read(images: ExampleSource, scorer: Scorer) -> None:
    """Every chunk, as scoring does before it computes anything."""

    def chunk(start: int) -> None:
        tf.constant(images[start : start + scorer.chunk])

    for _ in read_ahead(chunk, range(0, len(images), scorer.chunk)):
        pass


def score(images: ExampleSource, scorer: Scorer) -> None:
    """Every chunk, and keep nothing."""
    for _ in scorer.look(images, 0, BALD().score):
        pass


def whole_query(images: ExampleSource, learner: Learner, memo: Memo, passes: int) -> ActiveLearner:
    """A loop that is about to ask in round 1 and scores everything."""
    ids = tuple(f"{number:07d}" for number in range(len(images)))
    labels = np.zeros(len(images), np.int32)
    train = ExampleSet(ids, images, labels)
    test = ExampleSet(("test",), np.zeros((1, *images.shape[1:]), np.uint8), labels[:1])
    return ActiveLearner(
        learner,
        BALD(),
        Dataset("pool", train, test, tuple("0123456789")),
        journal=memo,
        plan=Plan(rounds=1, query_size=100, candidates=0, mc_samples=passes, steps=1, batch_size=1),
    )


def main() -> None:
    """Answer until nobody asks."""
    given = arguments()
    learner = Plain(CLASSIFIERS.get("gal_cnn")(samples.MNIST, 10, dtype=given["precision"]))
    learner.compile()
    scorer = Scorer(learner, tf.distribute.get_strategy(), given["passes"])
    few = np.zeros((min(given["count"], scorer.chunk), *samples.MNIST), np.uint8)
    # Traced before any memory is counted.
    score(few, scorer)
    in_memory = given["source"] == "memory"
    with tempfile.TemporaryDirectory() as folder:
        memo = Memo(Path(folder))
        before, start = anonymous(), time.perf_counter()
        images = opened(given["source"], Path(given["path"]), given["count"], given["data_dir"])
        opening = time.perf_counter() - start
        loop = None
        if given["work"] == "query":
            loop = whole_query(images, learner, memo, given["passes"])
            score(few, loop.scorer)
        if in_memory:
            before = anonymous()

        def work() -> dict[str, Any]:
            start = time.perf_counter()
            with Peak() as peak:
                if loop is not None:
                    memo.asked = None
                    loop.labelling.ask(1, Query((), ()))
                    loop.ask()
                else:
                    (read if given["work"] == "read" else score)(images, scorer)
            seconds = time.perf_counter() - start
            return {"seconds": seconds, "mib": peak.mib - before, "opening": opening}

        serve(work)


if __name__ == "__main__":
    main()
