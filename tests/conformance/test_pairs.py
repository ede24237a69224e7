"""Every acquisition asks the real loop's view, beside learners of every set of abilities.

All learners, and all kinds of examples: ``make pairs``.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView, check_needs, create, wraps
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners.abilities import KeepsPrevious
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.runs import pairs
from tests.conformance.test_acquisitions import FEW_STEPS, SYNTHESISE

POOL, LABELLED = 40, 8

NAMES = [f"{name}:bald" if wraps(name) else name for name in ACQUISITIONS]

SQUARE, _, LARGE, VECTORS = pairs.KINDS

IN_CI = {("plain", SQUARE), ("plain", VECTORS), ("aral", VECTORS)}
"""One learner of every set of abilities; one without dropout stands beside them."""


@dataclass(frozen=True)
class Watching:
    """Asks for the first candidates, and keeps the views that it was given."""

    views: list[PoolView] = field(default_factory=list)
    needs: ClassVar[tuple[type, ...]] = (KeepsPrevious,)
    chooses_initial_set: ClassVar[bool] = True

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        self.views.append(view)
        return Query(tuple(view.ids[:size]), tuple(range(size, 0, -1)))


@dataclass(frozen=True)
class Pool:
    """A learner in a loop, and what an acquisition sees there."""

    active: ActiveLearner
    before: PoolView
    after: PoolView


def dataset(kind: str, poisoned: bool = False) -> Dataset:
    """Some examples; ``poisoned``: with wrong labels, which a person would not give."""
    shape = pairs.KINDS[kind].shape
    rng = np.random.default_rng(0)
    examples: Any = rng.normal(size=(POOL, *shape)).astype(np.float32)
    if len(shape) == 3:
        examples = rng.integers(0, 256, (POOL, *shape), dtype=np.uint8)
    labels = np.arange(POOL) % 3
    if poisoned:
        labels = (labels + 1) % 3
    return Dataset.from_arrays(examples, labels, test_examples=examples[:6], test_labels=labels[:6])


@functools.cache
def pool(learner: str, kind: str, dropout: float | None = None, poisoned: bool = False) -> Pool:
    watching = Watching()
    given = dataset(kind, poisoned)
    active = ActiveLearner(
        pairs.learner_of(learner, pairs.KINDS[kind], dropout),
        watching,
        given,
        plan=Plan(steps=2, batch_size=8, mc_samples=4, query_size=3, initial_size=LABELLED),
    )
    right = dataset(kind).train.labels
    answers = dict(zip(given.train.ids, right.tolist(), strict=True))
    for _ in range(2):
        active.tell({id_: answers[id_] for id_ in active.ask().ids})
        active.fit()
    return Pool(active, *watching.views)


@functools.cache
def asked(
    name: str, learner: str, kind: str, dropout: float | None = None, poisoned: bool = False
) -> Query:
    """What an acquisition asks for after the initial set; checked."""
    acquisition = create(name, lambda owner, kind: FEW_STEPS.get(owner, {}))
    found = pool(learner, kind, dropout, poisoned)
    check_needs(name, acquisition, found.active.learner)
    return acquisition.query(found.after, 3, np.random.default_rng(1))


@pytest.fixture(autouse=True, scope="module")
def forget() -> Iterator[None]:
    """Traced functions of every acquisition are some memory."""
    yield
    for kept in (asked, pool, groups):
        kept.cache_clear()
    gc.collect()


groups = functools.cache(pairs.groups)


def offered(learner: str, kind: str) -> bool:
    """Whether there is such a learner of such examples."""
    return any(learner in names for names in groups(pairs.KINDS[kind]).values())


EVERY = [
    pytest.param(learner, kind, marks=() if (learner, kind) in IN_CI else pytest.mark.slow)
    for kind in pairs.KINDS
    for learner in LEARNERS
]


@pytest.mark.parametrize(("learner", "kind"), EVERY)
@pytest.mark.parametrize("name", NAMES)
def test_every_pair_asks_or_says_what_is_missing(name: str, learner: str, kind: str) -> None:
    if not offered(learner, kind):
        pytest.skip(f"{learner} does not learn from such examples")
    assert_asks_or_refuses(name, learner, kind, None)


@pytest.mark.parametrize("name", NAMES)
def test_without_dropout_it_asks_or_says_what_is_missing(name: str) -> None:
    assert_asks_or_refuses(name, "plain", VECTORS, 0.0)


def assert_asks_or_refuses(name: str, learner: str, kind: str, dropout: float | None) -> None:
    found = pool(learner, kind, dropout)
    lacking = [need for need in create(name).needs if not isinstance(found.active.learner, need)]
    if lacking:
        with pytest.raises(ConfigError, match=f"needs {lacking[0].__name__} .*possible: .*random"):
            asked(name, learner, kind, dropout)
        return
    query = asked(name, learner, kind, dropout)
    assert len({*query.ids}) == 3
    assert np.isfinite(query.scores).all()
    if name in SYNTHESISE:
        assert query.examples is not None
        assert not {*query.ids} & {*found.after.ids}
    else:
        assert {*query.ids} <= {*found.after.ids}
    assert not {*query.ids} & {*found.after.labels}


@pytest.mark.parametrize("name", NAMES)
def test_no_label_of_the_pool_is_read(name: str) -> None:
    kind = SQUARE if name == "pt4al" else VECTORS
    learner = "aral" if name == "aral" else "plain"
    found, poisoned = (asked(name, learner, kind, poisoned=value) for value in (False, True))
    np.testing.assert_array_equal(found.examples, poisoned.examples)
    assert found._replace(examples=None) == poisoned._replace(examples=None)


@pytest.mark.parametrize("name", [name for name in NAMES if create(name).chooses_initial_set])
def test_the_initial_set_is_chosen_without_labels(name: str) -> None:
    acquisition = create(name, lambda owner, kind: FEW_STEPS.get(owner, {}))
    found = []
    for poisoned in (False, True):
        view = pool("plain", SQUARE, poisoned=poisoned).before
        assert not view.labels
        found.append(acquisition.query(view, 5, np.random.default_rng(1)))
    assert found[0] == found[1]
    assert len({*found[0].ids}) == 5


def test_the_page_is_as_the_parts_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "groups", groups)
    page = Path("scripts/pairs.md").read_text(encoding="utf-8")
    assert page == pairs.markdown(), "make it again: python scripts/pairs.py > scripts/pairs.md"
