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
    "gaal": {"steps": 2, "descents": 3},
    "mcdal": {"steps": 3},
    "pt4al": {"steps": 2},
    "simple_gan": {"steps": 2},
    "vaal": {"steps": 2},
}
"""Options with which networks of an acquisition's own are trained quickly."""

SYNTHESISE = ("gaal", "simple_gan")
"""Acquisitions that ask about examples of their own, whatever is left in the pool."""

pytestmark = pytest.mark.usefixtures("eager")


def query(
    name: str, rows: Sequence[int], size: int = 5, seed: int = 0, at_once: int = 7, round_: int = 1
) -> Query:
    acquisition = create(name, lambda owner, kind: FEW_STEPS.get(owner, {}))
    evidence = IMAGES if SquareImages in acquisition.needs else VECTORS
    view = GivenView(evidence, IDS, rows, at_once, LABELS, round_)
    return acquisition.query(view, size, np.random.default_rng(seed))


@pytest.fixture(params=[f"{name}:bald" if wraps(name) else name for name in ACQUISITIONS])
def name(request: pytest.FixtureRequest) -> str:
    """Each registered acquisition, those that wrap another around ``bald``."""
    return str(request.param)


def test_unique_candidates_with_finite_scores(name: str) -> None:
    asked = query(name, range(20))
    assert len(set(asked.ids)) == len(asked.scores) == 5
    assert np.isfinite(asked.scores).all()
    if name not in SYNTHESISE:
        assert asked.examples is None
        assert set(asked.ids) <= set(IDS[:20])
        return
    assert asked.examples is not None
    assert not set(asked.ids) & set(IDS)
    known = VECTORS.stored
    assert asked.examples.shape == (5, *known.shape[1:])
    assert asked.examples.dtype == known.dtype
    assert np.isfinite(asked.examples).all()
    assert len({example.tobytes() for example in asked.examples}) == 5


@pytest.mark.parametrize("name", [name for name in ACQUISITIONS if not wraps(name)])
def test_scores_fall(name: str) -> None:
    asked = query(name, range(20))
    assert list(asked.scores) == sorted(asked.scores, reverse=True)


def test_the_same_seed_asks_the_same(name: str) -> None:
    one, other = query(name, range(30)), query(name, range(30))
    np.testing.assert_array_equal(one.examples, other.examples)
    assert one._replace(examples=None) == other._replace(examples=None)


@pytest.mark.parametrize("name", SYNTHESISE)
def test_other_rounds_synthesise_others(name: str) -> None:
    one, other = (query(name, range(30), seed=seed, round_=seed) for seed in (1, 2))
    assert not {*one.ids} & {*other.ids}
    assert one.examples is not None
    assert other.examples is not None
    assert not {x.tobytes() for x in one.examples} & {x.tobytes() for x in other.examples}


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
    # Rounding may differ between the rows of a chunk; DeepFool's steps add some up.
    assert found == pytest.approx(expected, rel=1e-5)


def test_an_exhausted_pool_is_an_error(name: str) -> None:
    if name in SYNTHESISE:
        assert len(query(name, range(3)).ids) == 5
        return
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
