"""Informative batches that are spread out: a worked example, a slow reference, and the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bgadl_tf.acquisition.acquisition import create
from bgadl_tf.acquisition.bald import BALD
from bgadl_tf.acquisition.diverse import Diverse
from bgadl_tf.acquisition.query import Query, top
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.abilities import MCDropout
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.learners import small_learner
from tests.support.pool_view import GivenEvidence, GivenView


class Given:
    """Scores by id."""

    needs: tuple[type, ...] = ()
    chooses_initial_set = False

    def __init__(self, scores: dict[str, float], examples: Any = None) -> None:
        self.scores, self.examples = scores, examples

    def query(self, view: Any, size: int, rng: np.random.Generator) -> Query:
        best = top(view.ids, np.array([self.scores[id_] for id_ in view.ids]), size)
        return best._replace(examples=self.examples, facts={"asked": float(size)})


def view_of(points: dict[str, Sequence[float]], labelled: str = "") -> GivenView:
    features = np.array([*points.values()], np.float32)
    evidence = GivenEvidence.of_tables(np.full((1, len(points), 2), np.log(0.5)), features)
    rows = [row for row, id_ in enumerate(points) if id_ not in labelled]
    return GivenView(evidence, [*points], rows, 2, dict.fromkeys(labelled, 0))


POINTS = {"l": (0, 0), "a": (1, 0), "b": (1, 0.1), "c": (5, 0), "d": (0, 4), "e": (9, 9)}
SCORES = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6, "e": 0.1}


def ask(size: int, labelled: str = "l", **options: Any) -> Query:
    inner: Any = Given(SCORES)
    view = view_of(POINTS, labelled)
    if not labelled:
        inner = Given({**SCORES, "l": 0.0})
    return Diverse(inner, **options).query(view, size, np.random.default_rng(0))


def test_the_worked_example() -> None:
    # e is the farthest but not in the shortlist a b c d; a and b are alike.
    query = ask(2, factor=2)
    assert query.ids == ("c", "d")
    assert query.scores == (0.7, 0.6)
    assert query.facts == {"asked": 4, "cover_radius": pytest.approx(np.hypot(1, 0.1))}
    assert ask(2, factor=3).ids == ("e", "c")
    assert ask(3, factor=1).ids == ("c", "b", "a")


def test_where_nothing_is_labelled_the_best_is_the_first() -> None:
    assert ask(2, labelled="", factor=2).ids == ("a", "d")


def test_the_metric_is_an_option() -> None:
    # Of (1, 0), (1, 0.1), (5, 0) and (0, 4), the last alone has another direction than a.
    assert ask(2, labelled="", factor=2, metric="cosine").ids == ("a", "d")
    query = ask(3, labelled="", factor=1, metric="cosine")
    assert query.ids == ("a", "b", "c")
    assert query.facts["cover_radius"] == 0


def test_copies_are_taken_last() -> None:
    points = {"l": (0.0,), **dict.fromkeys("abc", (1.0,)), "d": (0.5,)}
    view = view_of(points, "l")
    scores = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0}
    query = Diverse(Given(scores), factor=2).query(view, 2, np.random.default_rng(0))  # type: ignore[arg-type]
    assert query.ids == ("a", "d")


def test_it_needs_what_the_acquisition_inside_needs() -> None:
    assert create("diverse:bald") == Diverse(BALD())
    assert create("diverse:bald").needs == (MCDropout,)
    assert create("diverse:margin").needs == ()
    assert not create("diverse:power:bald").chooses_initial_set


@pytest.mark.parametrize(
    ("options", "message"),
    [({"factor": 0}, r"diverse\.factor is 0"), ({"metric": "x"}, r"diverse\.metric is 'x'")],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Diverse(BALD(), **options)


@pytest.mark.parametrize("name", ["gaal", "simple_gan", "mixed:gaal", "diverse:mixed:gaal"])
def test_what_makes_examples_is_refused_before_it_makes_any(name: str) -> None:
    with pytest.raises(ConfigError, match=r"and (GAAL|SimpleGAN) makes new ones; wrap another"):
        create(f"diverse:{name}")


def test_too_many_and_made_examples_are_refused() -> None:
    with pytest.raises(PoolError, match="only 5 candidates"):
        ask(6)
    made: Any = Given(SCORES, examples=np.zeros((4, 2), np.float32))
    with pytest.raises(ConfigError, match=r"Given makes new ones; wrap another"):
        Diverse(made).query(view_of(POINTS, "l"), 1, np.random.default_rng(0))


def test_in_the_loop_copies_are_not_asked_for_together() -> None:
    plan = Plan(
        rounds=1, query_size=6, initial_size=20, candidates=0, mc_samples=3, steps=20, batch_size=10
    )
    data = load_dataset("digits", repeated=3, tell=False)
    asked = {}
    for name in ("bald", "diverse:bald"):
        loop = ActiveLearner(small_learner("plain"), name, data, plan=plan)
        loop.step()
        asked[name] = {id_.partition("#")[0] for id_ in loop.ask().ids}
    assert len(asked["bald"]) == 2  # of each of the best, all copies
    assert len(asked["diverse:bald"]) == 6
