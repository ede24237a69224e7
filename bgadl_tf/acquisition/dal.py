"""Discriminative active learning: examples that a classifier can tell from the labelled ones.

Gissin and Shalev-Shwartz, "Discriminative Active Learning" (arXiv:1907.06347, 2019). n times a
perceptron learns to tell labelled from unlabelled examples in features of the classifier, the b / n
of the largest P(unlabelled) are asked for, and count as labelled from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.special
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.cover import collected, features_of
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.labelled_or_not import LabelledOrNot
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.representation import LAYERS, layer_of
from bgadl_tf.core.errors import ConfigError, PoolError

MOST = 50_000
"""Candidates that are looked at, at most."""


@ACQUISITIONS.register("dal")
@dataclass(frozen=True)
class DAL:
    """Asks for what is unlike everything labelled, several times a query.

    Of the candidates ``ratio`` times as many as are labelled, or asked for if these are more, are
    drawn; among these it chooses. Features are standardised; labelled and unlabelled examples count
    as much, in the loss and in the accuracy at which training ends. Scores are P(unlabelled) plus
    the number of mini-queries that are still to come, so those of an earlier one are higher; which
    of equal ones are taken is drawn.

    Memory: the features of labelled and drawn examples, 50 000 drawn ones at most. Time: per
    mini-query at most ``epochs`` epochs of a perceptron of 3 x 256 units on them.

    Args:
        mini_queries: n; never more than are asked for.
        ratio: Drawn candidates for each labelled example.
        accuracy: Mean of the shares of labelled and of unlabelled examples that are told right,
            above which a mini-query's training ends: a perfect classifier would only tell how far
            examples are from what is labelled, and no longer how many there are.
        epochs: At which it ends in any case.
        learning_rate: Of Adam.
        layer: penultimate (what the last dense layer sees), features (the trunk's) or inputs.
    """

    needs: ClassVar[tuple[type, ...]] = ()
    chooses_initial_set: ClassVar[bool] = False

    mini_queries: int = 10
    ratio: float = 10.0
    accuracy: float = 0.98
    epochs: int = 200
    learning_rate: float = 3e-4
    layer: str = "penultimate"

    def __post_init__(self) -> None:
        expected = {
            "mini_queries": (self.mini_queries >= 1, "at least 1"),
            "ratio": (1 <= self.ratio < np.inf, "at least 1"),
            "accuracy": (0 < self.accuracy <= 1, "in (0, 1]"),
            "epochs": (self.epochs >= 1, "at least 1"),
            "learning_rate": (self.learning_rate > 0, "positive"),
            "layer": (self.layer in LAYERS, f"one of {', '.join(LAYERS)}"),
        }
        for name, (holds, what) in expected.items():
            if not holds:
                raise ConfigError(
                    f"--option dal.{name} is {getattr(self, name)}; it must be {what}"
                )

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        if size > len(view.ids):
            raise PoolError(
                f"{size} labels were asked for, but only {len(view.ids)} candidates are left"
            )
        if not view.labels:
            raise PoolError("dal tells labelled from unlabelled, and nothing is labelled yet")
        candidates, labelled = sorted(view.ids), sorted(view.labels)
        most = min(int(self.ratio * max(len(labelled), size)), max(MOST, size))
        if len(candidates) > most:
            drawn = np.sort(rng.choice(len(candidates), most, replace=False))
            candidates = [candidates[row] for row in drawn]
        ids = [*candidates, *labelled]
        features = collected(features_of(view, ids, self.see, "euclidean"), len(ids))
        is_labelled = np.arange(len(ids)) >= len(candidates)
        network = LabelledOrNot(features, self.learning_rate)
        ties = rng.permutation(len(ids))
        picks: list[int] = []
        scores: list[float] = []
        count = min(self.mini_queries, size)
        for number in range(count):
            network.train(is_labelled, self.epochs, self.accuracy, int(rng.integers(2**31)))
            logits = network.logits()
            logits[is_labelled] = -np.inf
            best = np.lexsort((ties, -logits))[: _share(size, count, number)]
            is_labelled[best] = True
            picks += best.tolist()
            scores += (count - 1 - number + scipy.special.expit(logits[best])).tolist()
        return Query(tuple(ids[row] for row in picks), tuple(scores))

    def see(self, evidence: Evidence) -> tf.Tensor:
        """Features ``[n, F]`` float32."""
        return layer_of(evidence, self.layer)


def _share(size: int, count: int, number: int) -> int:
    """How many of ``size`` the mini-query of a number takes."""
    return size // count + (number < size % count)
