"""The gate of pseudo-labels: how far C is to be believed, by how often it is right.

Held-out predictions of labelled examples say how often a prediction of some confidence is right.
The gate keeps running sums of them by confidence, and gives a prediction the weight

    threshold:  1 if the share of right ones among all that are at least as confident as the lowest
                threshold below it reaches p, else 0
    weighted:   max(0, (q - p) / (1 - p)), q the share of right ones among those in its bin

Where no confidence is worth anything, as with 100 classes of which C has seen ten images each, it
closes by itself.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.models.losses import summed_over_replicas

LADDER = (
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99,
    0.995, 0.999,
)  # fmt: skip
"""Lower ends of the bins of the confidence, max over the classes of the predictive distribution."""

KINDS = ("threshold", "weighted")

CLOSED = 2.0
"""A threshold that no confidence reaches."""


@keras.saving.register_keras_serializable("bgadl_tf")
class Gate(keras.Model):
    """Running sums of held-out predictions, and the weights that follow from them.

    Args:
        kind: ``threshold`` or ``weighted``.
        precision: p.
        caution: z of the lower confidence bound (Wilson 1927) that stands for a share; 0 takes the
            share as it is.
        decay: What a step leaves of the sums.
    """

    def __init__(
        self, kind: str, precision: float, caution: float, decay: float, **kw: object
    ) -> None:
        super().__init__(**kw)
        self.kind, self.precision = kind, precision
        self.caution, self.decay = caution, decay
        self.seen, self.right = (
            self.add_weight(
                name=name,
                shape=(len(LADDER),),
                initializer="zeros",
                trainable=False,
                dtype="float32",
                aggregation="only_first_replica",
            )
            for name in ("seen", "right")
        )
        self.built = True

    def clear(self) -> None:
        """Forget everything."""
        for sums in (self.seen, self.right):
            sums.assign(tf.zeros(sums.shape))

    def see(
        self, confidence: tf.Tensor, right: tf.Tensor, weights: tf.Tensor | None = None
    ) -> None:
        """Take in held-out predictions; a step's, of all replicas together.

        Args:
            confidence: ``[B]``.
            right: ``[B]`` bool.
            weights: ``[B]``, how much each counts; None for 1.
        """
        here = tf.one_hot(bins(confidence), len(LADDER))
        if weights is not None:
            here *= tf.cast(weights, tf.float32)[:, None]
        hits = here * tf.cast(right, tf.float32)[:, None]
        sums = summed_over_replicas(tf.reduce_sum(tf.stack([here, hits]), axis=1))
        for state, new in zip((self.seen, self.right), tf.unstack(sums), strict=True):
            state.assign(self.decay * state + (1.0 - self.decay) * new)

    def weights(self, confidence: tf.Tensor, labelled: tf.Tensor) -> tf.Tensor:
        """How far predictions count.

        Args:
            confidence: ``[B]``.
            labelled: How many different examples the held-out predictions are of, scalar.

        Returns:
            ``[B]`` in [0, 1]; no gradient comes back.
        """
        seen, right = (tf.convert_to_tensor(sums.value) for sums in (self.seen, self.right))
        total = tf.reduce_sum(seen)
        if self.kind == "threshold":
            seen, right = (tf.cumsum(sums, reverse=True) for sums in (seen, right))
            enough = self._bounds(seen, right, total, labelled) >= self.precision
            lowest = tf.reduce_min(tf.where(enough, tf.constant(LADDER), CLOSED))
            return tf.stop_gradient(tf.cast(confidence >= lowest, tf.float32))
        bound = self._bounds(seen, right, total, labelled)
        worth = tf.maximum(0.0, (bound - self.precision) / (1.0 - self.precision))
        return tf.stop_gradient(tf.gather(worth, bins(confidence)))

    def _bounds(
        self, seen: tf.Tensor, right: tf.Tensor, total: tf.Tensor, labelled: tf.Tensor
    ) -> tf.Tensor:
        """Lower confidence bounds on shares of right predictions, ``[T]``; 0 of what is unseen."""
        share = tf.math.divide_no_nan(right, seen)
        count = tf.cast(labelled, tf.float32) * tf.math.divide_no_nan(seen, total)
        z2 = self.caution**2
        spread = share * (1.0 - share) + tf.math.divide_no_nan(z2, 4.0 * count)
        lower = share + tf.math.divide_no_nan(z2, 2.0 * count)
        lower -= self.caution * tf.sqrt(tf.math.divide_no_nan(spread, count))
        lower /= 1.0 + tf.math.divide_no_nan(z2, count)
        return tf.where(count > 0, lower, 0.0)

    def get_config(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "precision": self.precision,
            "caution": self.caution,
            "decay": self.decay,
            "name": self.name,
        }


def bins(confidence: tf.Tensor) -> tf.Tensor:
    """Number of the bin of each confidence ``[B]``, int32."""
    above = tf.cast(confidence[:, None] >= tf.constant(LADDER), tf.int32)
    return tf.reduce_sum(above, axis=1) - 1
