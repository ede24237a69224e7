"""Views of vectors, from the dataset to the steps of a learner that uses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.folder_journal import held
from bgadl_tf.loop.further import Joined
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.training_set import TrainingSet
from tests.support.examples import some_labels, some_vectors
from tests.support.learners import small_learner, weights_of

VECTORS = some_vectors(80)
VIEWS = np.stack([VECTORS + 10, VECTORS + 20], 1)
PLAN = Plan(
    rounds=1, query_size=5, initial_size=20, candidates=0, mc_samples=3, steps=4, batch_size=10
)


def dataset(views: np.ndarray | None = VIEWS) -> Dataset:
    found = Dataset.from_arrays(
        VECTORS, some_labels(80), test_examples=some_vectors(30, seed=1),
        test_labels=some_labels(30), class_names=[*"abcdefghij"],
    )  # fmt: skip
    return replace(found, train=replace(found.train, views=views))


def loop_of(folder: Path | None = None, learner: str = "pmda", **kw: Any) -> ActiveLearner:
    return ActiveLearner(
        small_learner(learner, "mlp", (12,)), "random", dataset(**kw), folder=folder, plan=PLAN
    )


def test_the_labelled_set_and_its_views_go_together() -> None:
    loop = loop_of()
    loop.step()
    loop.tell(dict.fromkeys(loop.ask().ids, 3))
    examples, _ = loop.training_set.labelled(1)
    views = loop.training_set.views(1)
    assert views is not None
    assert views.shape == (25, 2, 12)
    np.testing.assert_array_equal(views, np.stack([examples + 10, examples + 20], 1))


def test_what_has_no_views_stands_in_for_them() -> None:
    loop = loop_of()
    loop.step()
    known = KnownExamples(loop.dataset.train, held(None))
    made = some_vectors(2, seed=7)
    known.admit(["made-0", "made-1"], made)
    first = loop.dataset.train.ids[0]
    views = known.views_of(["made-1", first, "made-0"])
    expected = [[made[1]] * 2, VIEWS[0], [made[0]] * 2]
    np.testing.assert_array_equal(views, np.asarray(expected))

    class Made:
        """x' that joined in every round."""

        def joined(self, rounds: int) -> list[Joined]:
            return [Joined([first, first], made, some_labels(2))]

    further: Any = Made()
    joined = TrainingSet(loop.labelling, known, further, loop.journal).views(0)
    assert joined is not None
    np.testing.assert_array_equal(joined[-2:], np.stack([made, made], 1))


def test_a_learner_that_uses_views_trains_on_them() -> None:
    rounds = [loop_of(views=views) for views in (VIEWS, np.repeat(VECTORS[:, None], 2, 1))]
    for loop in rounds:
        loop.step()
    one, other = (weights_of(loop.learner) for loop in rounds)
    assert any(not np.array_equal(value, other[key]) for key, value in one.items())
    # Of views that are all the vector itself, any choice is the vector: plain learning.
    plain = loop_of(learner="plain", views=None)
    plain.step()
    for key, value in weights_of(plain.learner).items():
        np.testing.assert_array_equal(value, other[key])


def test_without_views_it_says_where_they_come_from() -> None:
    with pytest.raises(ConfigError, match=r"PMDA .*'arrays' have none: give --views .*--backbone"):
        loop_of(views=None)
    assert loop_of(learner="plain", views=None).training_set.views(0) is None
