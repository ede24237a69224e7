"""Gradients that are taken and applied only if a condition on the step holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

Gradients = dict[str, list[tf.Tensor]]
"""One tensor a variable, by optimizer."""


def gradients_if(
    holds: tf.Tensor,
    gradients: Callable[[], Gradients],
    variables: Mapping[str, list[keras.Variable]],
) -> Gradients:
    """Gradients, or zeros without a backward pass; with several replicas they are always taken.

    BatchNorm's backward pass adds up over replicas, which cannot be within a condition.

    Args:
        holds: Scalar bool, the same on every replica.
        gradients: Takes them of ``variables``.
        variables: By optimizer.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        return gradients()

    def taken() -> Gradients:
        return {
            name: [tf.convert_to_tensor(value) for value in values]
            for name, values in gradients().items()
        }

    def zeros() -> Gradients:
        return {
            name: [tf.zeros(one.shape, one.dtype) for one in values]
            for name, values in variables.items()
        }

    found: Gradients = tf.cond(holds, taken, zeros)
    return found


def apply_if(
    holds: Callable[[], tf.Tensor], apply: Callable[[Gradients], None], gradients: Gradients
) -> None:
    """Apply gradients, or leave variables and optimizers as they are.

    Args:
        holds: Reads the condition from variables, in the context of all replicas: an optimizer
            adds up gradients over replicas, which it could not do inside of one's condition.
        apply: Of one replica.
        gradients: Of this replica.
    """

    def over_replicas(strategy: tf.distribute.Strategy, of_replicas: Gradients) -> None:
        def applied() -> tf.Tensor:
            strategy.extended.call_for_each_replica(apply, args=(of_replicas,))
            return tf.constant(True)

        tf.cond(holds(), applied, lambda: tf.constant(False))

    tf.distribute.get_replica_context().merge_call(over_replicas, args=(gradients,))
