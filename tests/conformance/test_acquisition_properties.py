"""What every registered acquisition does with pools that are unusual."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, create, wraps
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core.errors import BgadlError
from bgadl_tf.core.types import Label
from bgadl_tf.learners.abilities import SquareImages
from tests.conformance.test_acquisitions import FEW_STEPS, IDS, LABELS, SYNTHESISE
from tests.support.pool_view import CLASSES, GivenEvidence, GivenView, random_evidence

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(params=[f"{name}:bald" if wraps(name) else name for name in ACQUISITIONS])
def name(request: pytest.FixtureRequest) -> str:
    """Each registered acquisition, those that wrap another around ``bald``."""
    return str(request.param)


def evidence_for(name: str) -> GivenEvidence:
    images = SquareImages in create(name).needs
    return random_evidence(30, labelled=6, side=4 if images else None)


def ask(
    name: str,
    evidence: GivenEvidence,
    size: int = 3,
    count: int = 30,
    labels: Mapping[str, Label] = LABELS,
) -> Query:
    acquisition = create(name, lambda owner, kind: FEW_STEPS.get(owner, {}))
    view = GivenView(evidence, IDS, range(count), 7, labels)
    return acquisition.query(view, size, np.random.default_rng(0))


def assert_asks(query: Query, size: int) -> None:
    assert len({*query.ids}) == len(query.ids) == size
    assert np.isfinite(query.scores).all()


def asked_or_refused(
    name: str, evidence: GivenEvidence, size: int, labels: Mapping[str, Label] = LABELS
) -> Query | str:
    """A query, or what the error says."""
    try:
        return ask(name, evidence, size, labels=labels)
    except BgadlError as error:
        return str(error)


def with_features(evidence: GivenEvidence, features: np.ndarray) -> GivenEvidence:
    return dataclasses.replace(evidence, features=features, penultimate=features)


def test_a_pool_of_one(name: str) -> None:
    query = ask(name, evidence_for(name), size=1, count=1)
    assert len(query.ids) == 1
    assert name in SYNTHESISE or query.ids == (IDS[0],)


def test_all_that_is_left(name: str) -> None:
    assert_asks(ask(name, evidence_for(name), size=30), 30)


def test_a_class_that_nobody_has_seen(name: str) -> None:
    one_missing = {id_: label % (CLASSES - 1) for id_, label in LABELS.items()}
    assert_asks(ask(name, evidence_for(name), labels=one_missing), 3)
    assert_asks(ask(name, evidence_for(name), labels=dict.fromkeys(LABELS, 1)), 3)


def test_without_any_label_it_asks_or_says_so(name: str) -> None:
    if create(name).chooses_initial_set:
        assert_asks(ask(name, evidence_for(name), labels={}), 3)
        return
    found = asked_or_refused(name, evidence_for(name), 3, labels={})
    assert "label" in found if isinstance(found, str) else len({*found.ids}) == 3


def test_duplicates(name: str) -> None:
    found = evidence_for(name)
    doubled = found.part([*range(15), *range(15), *range(30, 36)])
    assert_asks(ask(name, doubled, size=20), 20)


@pytest.mark.parametrize("size", [1, 8])
def test_of_duplicates_the_same_are_asked_for_whatever_the_order_of_the_pool(
    name: str, size: int
) -> None:
    found = evidence_for(name)
    doubled = found.part([*range(10), *range(10), *range(10), *range(30, 36)])
    acquisition = create(name, lambda owner, kind: FEW_STEPS.get(owner, {}))
    asked = [
        acquisition.query(GivenView(doubled, IDS, rows, 1, LABELS), size, np.random.default_rng(3))
        for rows in (range(30), np.random.default_rng(1).permutation(30).tolist())
    ]
    assert {*asked[0].ids} == {*asked[1].ids}


def test_constant_examples(name: str) -> None:
    found = evidence_for(name)
    alike = found.part([0] * 36)
    assert_asks(ask(name, alike, size=10), 10)


def test_what_is_not_finite_is_named_or_not_looked_at(name: str) -> None:
    found = evidence_for(name)
    features = found.features.copy()
    features[4, 1] = 0 if found.are_images else np.nan  # pixels are stored as uint8
    passes, log_probs = found.passes.copy(), found.log_probs.copy()
    passes[:, 4] = log_probs[4] = np.nan
    moments = found.moments._replace(
        **{field: values.copy() for field, values in found.moments._asdict().items()}
    )
    for values in moments:
        values[4] = np.nan
    broken = with_features(found, features)
    broken = dataclasses.replace(broken, passes=passes, log_probs=log_probs, moments=moments)
    asked = asked_or_refused(name, broken, 30)
    if isinstance(asked, str):
        assert "finite" in asked
    else:
        assert name in ("random", *SYNTHESISE), "scores of what is not finite count as numbers"
