"""MCDAL: examples about which heads that were trained to disagree do disagree.

Cho, Kim, Kim, Kweon and Yoo, "MCDAL: Maximum Classifier Discrepancy for Active Learning"
(arXiv:2107.11049, 2021). On detached features of the classifier F two further linear heads F1 and
F2 learn, at every step::

    CE on labelled examples,   then   CE on labelled ones - [d(F1, F2) + d(F, F1) + d(F, F2)] on the
    unlabelled,   d(p, q) = mean over examples and classes of |p - q|

The score of x is the sum over the three pairs of |p - q|_1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, GivesScores, PoolView
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Scores
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.task import Task
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import Classifier


@ACQUISITIONS.register("mcdal")
@dataclass(frozen=True)
class MCDAL(GivesScores):
    """Asks where the classifier and its two auxiliary heads differ most.

    The heads are made anew for every query, from weights of its seed; the classifier stays as it
    is, and is seen without dropout. Scores are in [0, 6]. Time: ``steps`` steps on the plan's
    batches, each a forward pass of the classifier over labelled and unlabelled examples, and one
    pass over the candidates. Memory: a chunk at a time.

    Args:
        steps: Of training the heads.
        learning_rate: Of their Adam.
    """

    steps: int = 500
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"--option mcdal.steps is {self.steps}; it must be at least 1")
        if not self.learning_rate > 0:
            raise ConfigError(
                f"--option mcdal.learning_rate is {self.learning_rate}; it must be positive"
            )

    def scores_of(self, view: PoolView, rng: np.random.Generator) -> Iterator[Scores]:
        if not view.labels:
            raise PoolError("mcdal trains on labels, and there are none yet")
        seed = int(rng.integers(2**31))
        heads = view.make(lambda classifier: Heads.drawn(classifier, seed, self.learning_rate))
        view.train(heads, self.steps)
        kernels = [heads.weights_of(name) for name in heads.networks]
        for features, log_probs in view.look(self.see):
            probs = [np.exp(log_probs.astype(np.float64))]
            probs += [softmax(features @ kernel + bias) for kernel, bias in kernels]
            yield discrepancy(*probs).numpy().astype(np.float32)

    def see(self, evidence: Evidence) -> tuple[tf.Tensor, tf.Tensor]:
        """What the last layer sees ``[n, P]`` and log-probabilities ``[n, C]``."""
        return tf.cast(evidence.penultimate, tf.float32), evidence.log_probs


class Heads(Task):
    """F1 and F2 on what a classifier's last layer sees.

    Its metrics are ``classification``, the mean of both heads' cross-entropy in nats, and
    ``discrepancy``, the sum of the three d on unlabelled examples.

    Args:
        classifier: F; never changed.
        learning_rate: Of Adam.
    """

    main = "first"
    terms = ("classification", "discrepancy")

    def __init__(self, classifier: Classifier, learning_rate: float, **kw: Any) -> None:
        super().__init__(learning_rate, **kw)
        self._keep("classifier", classifier)  # it is not this model's to save
        self.first, self.second = (
            keras.Sequential([
                keras.Input((classifier.head.widths[-1],)),
                keras.layers.Dense(classifier.classes, dtype="float32"),
            ])
            for _ in range(2)
        )  # fmt: skip
        self.built = True

    @classmethod
    def drawn(cls, classifier: Classifier, seed: int, learning_rate: float) -> Heads:
        """Compiled ones with initial weights of a seed."""
        heads = cls(classifier, learning_rate)
        heads.begin(seed)
        return heads

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"first": self.first, "second": self.second}

    @property
    def uses_unlabelled(self) -> bool:
        return True

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Both steps, on the same batch."""
        batch = Batch.of(data)
        labelled, _ = self._seen(batch.examples)
        unlabelled, main = self._seen(batch.unlabelled)
        with tf.GradientTape() as tape:
            loss = losses.global_mean(self._classification(labelled, batch.labels))
        self.descend(tape, dict.fromkeys(self.networks, loss))
        with tf.GradientTape() as tape:
            right = self._classification(labelled, batch.labels)
            probs = (tf.nn.softmax(head(unlabelled)) for head in self.networks.values())
            differ = discrepancy(main, *probs) / main.shape[1]
            loss = losses.global_mean(right) - losses.global_mean(differ)
        self.descend(tape, dict.fromkeys(self.networks, loss))
        return self.report({"classification": right / 2.0, "discrepancy": differ})

    def weights_of(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Kernel ``[P, C]`` and bias ``[C]`` of a head."""
        kernel, bias = (weight.numpy() for weight in self.networks[name].weights)
        return kernel.astype(np.float64), bias.astype(np.float64)

    def _seen(self, examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Features ``[B, P]`` and probabilities ``[B, C]`` of F, which get no gradient."""
        classifier: Classifier = self.classifier
        features = classifier.features(classifier.space.to_float(examples))
        hidden = tf.cast(classifier.head.penultimate(features), tf.float32)
        return tf.stop_gradient(hidden), tf.stop_gradient(tf.exp(classifier.head(features)))

    def _classification(self, features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of both heads together, ``[B]``, nats."""
        first, second = (
            losses.cross_entropy(tf.nn.log_softmax(head(features)), labels)
            for head in self.networks.values()
        )
        return first + second


def discrepancy(main: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Sum of |p - q|_1 over the three pairs of probabilities ``[n, C]``, ``[n]`` in [0, 6]."""
    pairs = (first, second), (main, first), (main, second)
    return tf.add_n([tf.reduce_sum(tf.abs(p - q), axis=1) for p, q in pairs])


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities ``[n, C]``."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probs
