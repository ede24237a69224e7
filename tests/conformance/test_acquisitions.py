"""What holds for every registered acquisition."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, create, wraps
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import PoolError
from bgadl_tf.learners.abilities import SquareImages
from tests.support.pool_view import CLASSES, GivenView, random_evidence

VECTORS, IMAGES = random_evidence(30, labelled=6), random_evidence(30, labelled=6, side=4)
IDS = tuple(f"image-{number}" for number in np.random.default_rng(0).permutation(36))
LABELS = {id_: number % CLASSES for number, id_ in enumerate(IDS[30:])}

FEW_STEPS = {
    "dal": {"epochs": 2},
    "mcdal": {"steps": 3},
    "pt4al": {"steps": 2},
    "vaal": {"steps": 2},
}
"""Options with which networks of an acquisition's own are trained quickly."""


def query(name: str, rows: Sequence[int], size: int = 5, seed: int = 0, at_once: int = 7) -> Query:
    acquisition = create(name, lambda owner, kind: FEW_STEPS.get(owner, {}))
    evidence = IMAGES if SquareImages in acquisition.needs else VECTORS
    view = GivenView(evidence, IDS, rows, at_once, LABELS)
    return acquisition.query(view, size, np.random.default_rng(seed))


@pytest.fixture(params=[f"{name}:bald" if wraps(name) else name for name in ACQUISITIONS])
def name(request: pytest.FixtureRequest) -> str:
    """Each registered acquisition, those that wrap another around ``bald``."""
    return str(request.param)


def test_unique_candidates_with_finite_scores(name: str) -> None:
    asked = query(name, range(20))
    assert len(set(asked.ids)) == len(asked.scores) == 5
    assert set(asked.ids) <= set(IDS[:20])
    assert np.isfinite(asked.scores).all()


@pytest.mark.parametrize("name", [name for name in ACQUISITIONS if not wraps(name)])
def test_scores_fall(name: str) -> None:
    asked = query(name, range(20))
    assert list(asked.scores) == sorted(asked.scores, reverse=True)


def test_the_same_seed_asks_the_same(name: str) -> None:
    assert query(name, range(30)) == query(name, range(30))


@pytest.mark.parametrize("size", [1, 5, 30])
def test_what_is_asked_does_not_depend_on_how_much_is_seen_at_once(name: str, size: int) -> None:
    at_once = query(name, range(30), size, at_once=30)
    for count in (1, 4, 29):
        asked = query(name, range(30), size, at_once=count)
        assert asked.ids == at_once.ids
        np.testing.assert_allclose(asked.scores, at_once.scores, rtol=1e-6)


def test_permuting_the_pool_changes_nothing(name: str) -> None:
    # The released code adds scores up by position over shuffled passes (methods, fault 1).
    shuffled = np.random.default_rng(1).permutation(30).tolist()
    whole, permuted = (query(name, rows, size=30) for rows in (range(30), shuffled))
    found, expected = (dict(zip(*query[:2], strict=True)) for query in (permuted, whole))
    # Rounding may differ between the rows of a chunk.
    assert found == pytest.approx(expected, rel=1e-6)


def test_an_exhausted_pool_is_an_error(name: str) -> None:
    with pytest.raises(PoolError, match="only 3 candidates"):
        query(name, range(3))


def test_it_is_frozen_and_equal_to_another_of_the_same_options(name: str) -> None:
    one, other = create(name), create(name)
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.anything = 1  # type: ignore[attr-defined]


def test_random_depends_on_its_seed_alone() -> None:
    assert query("random", range(30), seed=1) != query("random", range(30), seed=2)
