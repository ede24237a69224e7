"""Running means of a few numbers of every step, saved with the weights.

As they are in a network of their own, a run that is resumed goes on with the same means, and every
replica has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

MEMORY = 0.99
"""Share that a mean keeps at a step: it remembers about 100 steps, two reports of the trainer."""


class RunningMeans(keras.Model):
    """Exponential moving averages, of no training's business.

    Args:
        names: Of the numbers.
    """

    def __init__(self, names: Sequence[str], **kw: Any) -> None:
        super().__init__(**kw)
        self.names = tuple(names)
        self.sums, self.known = (
            self.add_weight(name=name, shape=shape, initializer="zeros", trainable=False)
            for name, shape in (("sums", (len(names),)), ("known", ()))
        )
        self.built = True

    def clear(self) -> None:
        """Forget everything."""
        for weight in self.weights:
            weight.assign(tf.zeros(weight.shape))

    def add(self, values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Add a step; called once in each replica, in the same place.

        Args:
            values: Scalars, on each replica of its own share of the batch.

        Returns:
            Their means over the replicas.
        """
        own = tf.stack([tf.cast(values[name], tf.float32) for name in self.names])
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            own = context.all_reduce(tf.distribute.ReduceOp.MEAN, own)
        context.merge_call(self._move, args=(own,))
        return dict(zip(self.names, tf.unstack(own), strict=True))

    def _move(self, strategy: tf.distribute.Strategy, values: tf.Tensor) -> None:
        def move(average: tf.Variable, new: tf.Tensor) -> None:
            average.assign_sub((1.0 - MEMORY) * (average - new))

        strategy.extended.update(self.sums.value, move, args=(values,))
        strategy.extended.update(self.known.value, move, args=(1.0,))

    def grown_from_zero(self, name: str) -> tf.Tensor:
        """A mean that counts what was before the first step as 0, scalar."""
        return tf.convert_to_tensor(self.sums.value)[self.names.index(name)]

    def mean(self, name: str) -> tf.Tensor:
        """A mean of what has been added, scalar; 0 where nothing has."""
        return tf.math.divide_no_nan(
            self.grown_from_zero(name), tf.convert_to_tensor(self.known.value)
        )
