"""Queries with scikit-activeml, as its documentation shows."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import Badge, BatchBALD, CoreSet, ProbCover, TypiClust

from scripts.benchmarks.rivals.acquisition_peers import CLASSES, CONFIGURATIONS, Arrays, Picks


class Given(SkactivemlClassifier):
    """Its predictions are given: probabilities ``[N, C]``, or of passes ``[K, N, C]``."""

    def __init__(self, probs: NDArray[Any], classes: list[int]) -> None:
        super().__init__(classes=classes)
        self.probs = probs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        self.classes_ = np.array(self.classes)
        return self

    def predict_proba(self, X: Any, **_: Any) -> NDArray[Any]:
        return self.probs

    def sample_proba(self, X: Any) -> NDArray[Any]:
        """Of passes."""
        return self.probs


def coreset(case: Arrays, size: int) -> Picks:
    """Farthest first, euclidean."""
    return _picks(case, size, CoreSet(random_state=0), case.of["penultimate"])


def typiclust(case: Arrays, size: int) -> Picks:
    """From |L| + b groups."""
    return _picks(case, size, TypiClust(random_state=0), case.of["inputs"])


def probcover(case: Arrays, size: int) -> Picks:
    """Finds delta, among the ten that it tries."""
    strategy = ProbCover(n_classes=CLASSES, random_state=0)
    return _picks(case, size, strategy, case.of["inputs"])


def probcover_of_delta(case: Arrays, size: int) -> Picks:
    """With our delta."""
    strategy = ProbCover(n_classes=CLASSES, deltas=[case.facts["delta"]], random_state=0)
    return _picks(case, size, strategy, case.of["inputs"])


def probcover_follows(case: Arrays, rows: Picks) -> int:
    """How many rows are of those that cover the most when it is their turn."""
    vectors, labels = case.of["inputs"], _labels(case, len(case.of["inputs"]))
    strategy = ProbCover(n_classes=CLASSES, deltas=[case.facts["delta"]], random_state=0)
    for place, row in enumerate(rows):
        _, utilities = strategy.query(X=vectors, y=labels, return_utilities=True)
        if utilities[0, row] < np.nanmax(utilities):
            return place
        labels[row] = 0
    return len(rows)


def badge(case: Arrays, size: int) -> Picks:
    """Gradients of what the last layer sees."""
    classifier = _given(case.of["probs"])
    return _picks(
        case, size, Badge(random_state=0), case.of["penultimate"], clf=classifier, fit_clf=False
    )


def batchbald(case: Arrays, size: int) -> Picks:
    """From all candidates, with as many configurations as ours."""
    passes = np.ascontiguousarray(case.of["passes"].transpose(1, 0, 2))
    strategy = BatchBALD(
        n_MC_samples=CONFIGURATIONS, sample_predictions_method_name="sample_proba", random_state=0
    )
    return _picks(
        case, size, strategy, np.zeros((case.count, 1)), ensemble=_given(passes),
        fit_ensemble=False,
    )  # fmt: skip


def _given(probs: NDArray[Any]) -> Given:
    return Given(probs, [*range(probs.shape[-1])]).fit(None, None)


def _picks(case: Arrays, size: int, strategy: Any, vectors: NDArray[Any], **keywords: Any) -> Picks:
    labels = _labels(case, len(vectors))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picks = strategy.query(X=vectors, y=labels, batch_size=size, **keywords)
    return [int(pick) for pick in picks]


def _labels(case: Arrays, total: int) -> NDArray[Any]:
    """Of all, NaN for candidates."""
    labels = np.full(total, np.nan)
    labels[case.count :] = case.labels[: total - case.count]
    return labels
