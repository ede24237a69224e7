"""The gate of pseudo-labels: how sure C must be so that it is right often enough.

Held-out predictions of labelled examples say how often a prediction of some confidence is right.
The gate keeps running sums of them for a ladder of thresholds, and opens at the lowest one above
which the share of right ones, less what chance may have added, reaches the precision asked for.
Where none does, as with 100 classes of which C has seen ten images each, it stays closed.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.models.losses import summed_over_replicas

LADDER = (
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99,
    0.995, 0.999,
)  # fmt: skip
"""Thresholds of the confidence, max over the classes of the predictive distribution."""

CLOSED = 2.0
"""A threshold that no confidence reaches."""


@keras.saving.register_keras_serializable("bgadl_tf")
class Gate(keras.Model):
    """Running sums of held-out predictions, and the threshold that follows from them.

    Args:
        precision: Share of accepted labels that must be right.
        caution: z of the lower confidence bound (Wilson 1927) on that share; 0 takes the share
            as it is.
        decay: What a step leaves of the sums.
    """

    def __init__(self, precision: float, caution: float, decay: float, **kw: object) -> None:
        super().__init__(**kw)
        self.precision, self.caution, self.decay = precision, caution, decay
        self.seen, self.right, self.given = (
            self.add_weight(
                name=name,
                shape=(len(LADDER),) if name != "given" else (2,),
                initializer="zeros",
                trainable=False,
                dtype="float32",
                aggregation="only_first_replica",
            )
            for name in ("seen", "right", "given")
        )
        self.built = True

    def see(self, confidence: tf.Tensor, right: tf.Tensor) -> None:
        """Take in held-out predictions; a step's, of all replicas together.

        Args:
            confidence: ``[B]``.
            right: ``[B]`` bool.
        """
        above = tf.cast(confidence[:, None] >= tf.constant(LADDER), tf.float32)
        hits = above * tf.cast(right, tf.float32)[:, None]
        sums = summed_over_replicas(tf.reduce_sum(tf.stack([above, hits]), axis=1))
        for state, new in zip((self.seen, self.right), tf.unstack(sums), strict=True):
            state.assign(self.decay * state + (1.0 - self.decay) * new)

    def bounds(self, labelled: tf.Tensor) -> tf.Tensor:
        """Lower confidence bounds on the share of right predictions above each threshold.

        Args:
            labelled: How many different examples the predictions are of, scalar.

        Returns:
            ``[T]``; 0 where nothing has been seen.
        """
        share = tf.math.divide_no_nan(self.right.value, self.seen.value)
        count = tf.cast(labelled, tf.float32) * tf.math.divide_no_nan(
            self.seen.value, self.seen.value[0]
        )
        z2 = self.caution**2
        spread = share * (1.0 - share) + tf.math.divide_no_nan(z2, 4.0 * count)
        lower = share + tf.math.divide_no_nan(z2, 2.0 * count)
        lower -= self.caution * tf.sqrt(tf.math.divide_no_nan(spread, count))
        lower /= 1.0 + tf.math.divide_no_nan(z2, count)
        return tf.where(count > 0, lower, 0.0)

    def threshold(self, labelled: tf.Tensor) -> tf.Tensor:
        """The least confidence that is enough, scalar; ``CLOSED`` where none is."""
        enough = self.bounds(labelled) >= self.precision
        return tf.reduce_min(tf.where(enough, tf.constant(LADDER), CLOSED))

    def accepts(self, confidence: tf.Tensor, labelled: tf.Tensor) -> tf.Tensor:
        """1.0 where a confidence ``[B]`` is enough, else 0.0; the running share is noted."""
        threshold = self.threshold(labelled)
        accepted = tf.cast(confidence >= threshold, tf.float32)
        count = tf.cast(tf.shape(confidence)[0], tf.float32)
        sums = summed_over_replicas(tf.stack([tf.reduce_sum(accepted), count]))
        new = tf.stack([sums[0] / sums[1], threshold])
        self.given.assign(self.decay * self.given + (1.0 - self.decay) * new)
        return tf.stop_gradient(accepted)

    def facts(self) -> dict[str, float]:
        """Running share of pool examples that were accepted, and running threshold."""
        accepted, threshold = self.given.numpy().tolist()
        return {"pseudo_accepted": accepted, "pseudo_threshold": threshold}

    def get_config(self) -> dict[str, object]:
        return {
            "precision": self.precision,
            "caution": self.caution,
            "decay": self.decay,
            "name": self.name,
        }
