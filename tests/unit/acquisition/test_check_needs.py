"""Which acquisitions a learner can serve."""

from __future__ import annotations

import pytest

from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.models.classifiers.base import CLASSIFIERS


def make(dropout: float | None) -> Learner:
    kind = LEARNERS.get("plain")
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), 10, dropout=dropout)
    return kind.create(classifier, kind.options_type())


@pytest.mark.parametrize("name", ["bald", "power:bald"])
def test_a_deterministic_classifier_cannot_be_asked_for_disagreement(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"needs MCDropout .*; possible: .*coreset, .*tod"
    ) as caught:
        check_needs(name, create(name), make(dropout=0.0))
    assert "power" not in str(caught.value).partition("possible")[2]


@pytest.mark.parametrize("name", ["coreset", "random", "tod"])
@pytest.mark.parametrize("dropout", [0.0, None])
def test_the_others_work_with_any_classifier(name: str, dropout: float | None) -> None:
    check_needs(name, create(name), make(dropout))
