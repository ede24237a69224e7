"""What acquisitions remember, and where they make networks of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import PoolView
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.random import Random
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.folder_journal import FolderJournal
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.view import View
from bgadl_tf.models.classifiers.base import CLASSIFIERS


def test_what_is_remembered_is_computed_once_for_each_state_of_the_dataset(tmp_path: Path) -> None:
    journal = FolderJournal(tmp_path)
    journal.open()
    made: list[int] = []

    def remember(state: int) -> float:
        def make() -> dict[str, Any]:
            made.append(state)
            return {"mean": np.array(10.0 + state)}

        nobody: Any = None
        view = View(
            round_=1, ids=(), labels={}, classes=2, examples=nobody, scorer=nobody, mask_seed=0,
            journal=journal, state=state, make=nobody, train=nobody,
        )  # fmt: skip
        return float(view.remember("features", make)["mean"])

    assert [remember(state) for state in (0, 0, 1, 1, 0)] == [10.0, 10.0, 11.0, 11.0, 10.0]
    assert made == [0, 1]
    journal.close()


def test_networks_of_an_acquisition_are_made_where_they_can_be_trained(
    mirrored: tf.distribute.Strategy,
) -> None:
    seen: dict[str, Any] = {}

    @dataclass(frozen=True)
    class Making(Random):
        def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
            seen["classifier"] = view.make(lambda classifier: classifier)
            seen["strategy"] = view.make(lambda classifier: tf.distribute.get_strategy())
            seen["weight"] = view.make(lambda classifier: tf.Variable(1.0))
            return super().query(view, size, rng)

    examples = np.zeros((20, 4), np.float32)
    labels = (np.arange(20) % 2).astype(np.int32)
    dataset = Dataset.from_arrays(examples, labels, test_examples=examples, test_labels=labels)
    kind = LEARNERS.get("plain")
    with mirrored.scope():
        learner = kind.create(CLASSIFIERS.get("mlp")((4,), 2), kind.options_type())
    plan = Plan(rounds=1, query_size=2, initial_size=4, steps=1, batch_size=4)
    active = ActiveLearner(learner, Making(), dataset, plan=plan, strategy=mirrored)
    active.step()
    active.ask()
    assert seen["classifier"] is active.learner.classifier
    assert seen["strategy"] is mirrored
    assert len(mirrored.experimental_local_results(seen["weight"])) == 2
