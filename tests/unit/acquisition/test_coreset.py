"""Greedy k-center against worked examples, a slow reference, and through a real classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition import cover
from bgadl_tf.acquisition.acquisition import Arrays, create
from bgadl_tf.acquisition.coreset import CoreSet
from bgadl_tf.acquisition.evidence import Look
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError, PoolError, ScoreError
from bgadl_tf.core.types import Id, Label
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS


@dataclass
class View:
    """Given features of some ids, a few at a time."""

    known: Mapping[Id, Sequence[float]]
    ids: Sequence[Id]
    labels: Mapping[Id, Label] = field(default_factory=dict)
    at_once: int = 2
    round: int = 1
    classes: int = 2

    def look(
        self, look: Look, ids: Sequence[Id] | None = None, previous: bool = False
    ) -> Iterator[Arrays]:
        ids = self.ids if ids is None else ids
        for start in range(0, max(1, len(ids)), self.at_once):
            part = [self.known[id_] for id_ in ids[start : start + self.at_once]]
            vectors = tf.reshape(tf.constant(part, tf.float32), (len(part), -1))
            evidence: Any = SimpleNamespace(penultimate=vectors, features=10.0 * vectors)
            seen = look(evidence)
            assert isinstance(seen, tf.Tensor)
            yield (seen.numpy(),)

    def train(self, model: Any, steps: int) -> None:
        raise NotImplementedError

    def remember(self, name: str, make: Any) -> Any:
        raise NotImplementedError


def ask(view: View, size: int, **options: Any) -> Query:
    return CoreSet(**options).query(view, size, np.random.default_rng(0))


def rows_of(query: Query) -> list[int]:
    return [int(id_) for id_ in query.ids]


WORKED = {"l": (0, 0), "0": (1, 0), "1": (0, 3), "2": (4, 0), "3": (5, 5), "4": (0, -2)}


@pytest.mark.parametrize("at_once", [1, 2, 6])
def test_the_worked_example(at_once: int) -> None:
    query = ask(View(WORKED, "01234", {"l": 0}, at_once), 3)
    assert rows_of(query) == [3, 2, 1]
    np.testing.assert_allclose(query.scores, [7.0711, 4, 3], atol=1e-4)
    assert query.facts == {"cover_radius": pytest.approx(2)}


def test_the_layer_is_an_option() -> None:
    query = ask(View(WORKED, "01234", {"l": 0}), 3, layer="features")
    np.testing.assert_allclose(query.scores, [70.711, 40, 30], atol=1e-3)


def slow_k_center(
    candidates: NDArray[np.float64], centres: NDArray[np.float64], size: int
) -> tuple[list[int], list[float], float]:
    """All distances at once, anew for every pick."""
    picks: list[int] = []
    distances = []
    for _ in range(size + 1):
        chosen = np.concatenate([centres, candidates[picks]])
        nearest = np.linalg.norm(candidates[:, None] - chosen, axis=2).min(axis=1)
        nearest[picks] = -1
        distances.append(float(nearest.max()))
        picks.append(int(nearest.argmax()))
    return picks[:-1], distances[:-1], distances[-1]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("block", [2**22, 50])
def test_as_slow_k_center(metric: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "BLOCK_VALUES", block)
    vectors = np.random.default_rng(0).normal(size=(90, 7)).astype(np.float32)
    known = {str(row): vector.tolist() for row, vector in enumerate(vectors)}
    ids = [str(row) for row in range(90)]
    query = ask(View(known, ids[:70], dict.fromkeys(ids[70:], 0), 8), 12, metric=metric)
    exact = vectors.astype(np.float64)
    if metric == "cosine":
        exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    picks, distances, radius = slow_k_center(exact[:70], exact[70:], 12)
    squared = metric == "cosine"
    assert rows_of(query) == picks
    np.testing.assert_allclose(
        query.scores, np.square(distances) / 2 if squared else distances, rtol=1e-5
    )
    expected = radius**2 / 2 if squared else radius
    assert query.facts["cover_radius"] == pytest.approx(expected, rel=1e-5)


def test_features_in_a_file_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = ask(View(WORKED, "01234", {"l": 0}), 3)
    monkeypatch.setattr(cover, "IN_MEMORY", 39)  # five candidates of two float32 are 40 bytes
    assert ask(View(WORKED, "01234", {"l": 0}), 3) == in_memory


def test_cosine_sees_directions_alone() -> None:
    known = {"l": (1, 0), "0": (100, 1), "1": (0, 1), "2": (-1, 0), "3": (0, 0)}
    query = ask(View(known, "0123", {"l": 0}), 4, metric="cosine")
    assert rows_of(query) == [2, 1, 3, 0]
    np.testing.assert_allclose(query.scores[:3], [2, 1, 0.5], atol=1e-6)
    assert query.facts == {"cover_radius": 0}


def test_the_order_of_the_pool_does_not_matter() -> None:
    vectors = np.random.default_rng(1).normal(size=(60, 5))
    known = {str(row): vector.tolist() for row, vector in enumerate(vectors)}
    labels = {str(row): 0 for row in range(50, 60)}
    ids = [str(row) for row in range(50)]
    first = ask(View(known, ids, labels, 9), 10)
    shuffled = [ids[row] for row in np.random.default_rng(2).permutation(50)]
    again = ask(View(known, shuffled, dict(reversed(labels.items())), 4), 10)
    assert again.ids == first.ids
    np.testing.assert_allclose(again.scores, first.scores)


def test_of_equal_distances_any_is_taken_and_nothing_twice() -> None:
    known = {"l": (0.0,), **{str(row): (1.0,) for row in range(4)}, "4": (0.0,)}
    firsts = set()
    for seed in range(40):
        asked = [
            CoreSet().query(View(known, ids, {"l": 0}), 5, np.random.default_rng(seed))
            for ids in ("01234", "42310")
        ]
        assert asked[0] == asked[1]
        assert {*rows_of(asked[0])} == {0, 1, 2, 3, 4}
        assert asked[0].scores == (1, 0, 0, 0, 0)
        firsts.add(asked[0].ids[0])
    assert firsts == {*"0123"}


def test_far_from_the_origin_distances_are_still_exact() -> None:
    known = {"l": (1e4, 0), **{k: (v[0] + 1e4, v[1]) for k, v in WORKED.items() if k != "l"}}
    query = ask(View(known, "01234", {"l": 0}), 3)
    assert rows_of(query) == [3, 2, 1]
    np.testing.assert_allclose(query.scores, [7.0711, 4, 3], atol=1e-4)


def test_the_first_of_an_initial_set_is_nearest_to_the_mean() -> None:
    # The mean is (2, 1.2): 0 is at 1.562 from it, 2 at 2.332.
    query = ask(View(WORKED, "01234"), 3, initial=True)
    assert rows_of(query) == [0, 3, 1]
    np.testing.assert_allclose(query.scores, [np.sqrt(41)] * 2 + [np.sqrt(10)], rtol=1e-6)
    assert query.facts == {"cover_radius": pytest.approx(3)}
    assert CoreSet(initial=True).chooses_initial_set
    assert not CoreSet().chooses_initial_set


def test_a_single_first_example() -> None:
    query = ask(View(WORKED, "01234"), 1, initial=True)
    assert rows_of(query) == [0]
    assert query.scores == (query.facts["cover_radius"],)


def test_what_is_asked_for_must_be_there() -> None:
    with pytest.raises(PoolError, match="only 5 candidates"):
        ask(View(WORKED, "01234", {"l": 0}), 6)


@pytest.mark.parametrize("broken", ["3", "l"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_named(broken: str, value: float) -> None:
    known = {**WORKED, broken: (0, value)}
    with pytest.raises(
        ScoreError, match=f"1 examples are not finite, the first those of '{broken}"
    ):
        ask(View(known, "01234", {"l": 0}), 3)


@pytest.mark.parametrize("option", ["metric", "layer"])
def test_unknown_choices_are_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=rf"coreset\.{option} is 'x'; choose from "):
        create("coreset", lambda name, owner: {option: "x"})


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (120, 8, 8, 1), dtype=np.uint8)
    labels = np.arange(120) % 3
    return Dataset.from_arrays(images, labels, test_examples=images[:20], test_labels=labels[:20])


@pytest.mark.parametrize("name", ["plain", "pmda", "tod"])
def test_in_the_loop_with_a_deterministic_classifier(name: str, dataset: Dataset) -> None:
    kind = LEARNERS.get(name)
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), 3, dropout=0.0)
    plan = Plan(rounds=2, query_size=4, initial_size=6, candidates=50, steps=3, batch_size=6)
    active = ActiveLearner(
        kind.create(classifier, kind.options_type()), CoreSet(initial=True), dataset, plan=plan
    )
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [6, 10, 14]
    assert all(record["facts"]["cover_radius"] > 0 for record in records)
    assert active.scorer.score_traces == 1
