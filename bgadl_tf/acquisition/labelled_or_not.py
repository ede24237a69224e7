"""A perceptron that learns to tell labelled from unlabelled examples by their features."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.core import seeding
from bgadl_tf.core.errors import DivergenceError
from bgadl_tf.core.types import Floats
from bgadl_tf.learners.task import Task

HIDDEN, BATCH = (256, 256, 256), 256


class LabelledOrNot(Task):
    """Dense 256 - ReLU, three times, then the logit of "unlabelled".

    Every training begins anew. It takes place on one device; weights and the order of examples
    follow from its seed.

    Args:
        features: Of all examples ``[N, F]``; they are standardised.
        learning_rate: Of Adam.
    """

    main = "perceptron"

    def __init__(self, features: Floats, learning_rate: float, **kw: Any) -> None:
        super().__init__(learning_rate, **kw)
        self.perceptron = keras.Sequential([
            keras.Input((features.shape[1],)),
            *(
                keras.layers.Dense(
                    width, "relu", kernel_initializer="he_normal", dtype="float32"
                )
                for width in HIDDEN
            ),
            keras.layers.Dense(1, dtype="float32"),
        ])  # fmt: skip
        self.built = True
        self.compile()
        mean, deviation = (of(axis=0, dtype=np.float64) for of in (features.mean, features.std))
        scale = np.where(deviation > 0, deviation, 1.0)
        scaled = (features - mean.astype(np.float32)) / scale.astype(np.float32)
        with tf.device("/CPU:0"):
            self._keep("_features", tf.constant(scaled))
        unknown = tf.TensorSpec((None,), tf.float32)
        self._keep("_take_epoch", tf.function(
            self._epoch,
            input_signature=[unknown, unknown, tf.TensorSpec((2,), tf.int32)],
            autograph=False,
        ))  # fmt: skip

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"perceptron": self.perceptron}

    def train(self, labelled: NDArray[np.bool_], epochs: int, accuracy: float, seed: int) -> int:
        """Train from fresh weights until labelled and unlabelled examples are told apart.

        Args:
            labelled: Which examples are, ``[N]``; not all and not none.
            epochs: At most.
            accuracy: Balanced, over all examples after an epoch, above which it ends.
            seed: Of weights and order.

        Returns:
            Epochs that were taken.

        Raises:
            DivergenceError: The logits are not finite.
        """
        self.draw(lambda detail: seeding.seed_pair(seed, 0, "weights", detail)[0])
        order = tf.constant(seeding.seed_pair(seed, 0, "order"), tf.int32)
        shares = np.where(labelled, labelled.mean(), 1 - labelled.mean())
        targets = tf.constant(~labelled, tf.float32)
        weights = tf.constant(0.5 / shares, tf.float32)
        for epoch in range(epochs):
            right = float(self._take_epoch(
                targets, weights, tf.random.experimental.stateless_fold_in(order, epoch)
            ))  # fmt: skip
            if not np.isfinite(right):
                raise DivergenceError(
                    "telling labelled from unlabelled examples has diverged; lower "
                    "--option dal.learning_rate"
                )
            if right > accuracy:
                return epoch + 1
        return epochs

    def logits(self) -> NDArray[np.float64]:
        """Of "unlabelled", of every example ``[N]``."""
        logits: NDArray[np.float64] = self._logits(self._features).numpy().astype(np.float64)
        return logits

    def _logits(self, features: tf.Tensor) -> tf.Tensor:
        return self.perceptron(features)[:, 0]

    def _epoch(self, targets: tf.Tensor, weights: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """One epoch; the balanced accuracy after it, nan where it has diverged."""
        count = tf.shape(targets)[0]
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed)

        def next_batch(start: tf.Tensor) -> tuple[tf.Tensor]:
            rows = order[start : start + BATCH]
            with tf.GradientTape() as tape:
                logits = self._logits(tf.gather(self._features, rows))
                terms = tf.nn.sigmoid_cross_entropy_with_logits(tf.gather(targets, rows), logits)
                loss = tf.reduce_mean(tf.gather(weights, rows) * terms)
            self.descend(tape, {"perceptron": loss})
            return (start + BATCH,)

        tf.while_loop(lambda start: start < count, next_batch, (tf.constant(0),))
        logits = self._logits(self._features)
        right = tf.cast(tf.equal(logits > 0, targets > 0.5), tf.float32)
        # Adding 0 times the logits keeps what is not finite.
        return tf.reduce_mean(weights * right + 0.0 * logits)
