"""What a served function is, and what holds for the inputs of each.

A server checks names and types of inputs, but neither their rank nor their length, and a kernel
that meets a wrong one may end the process. So the first thing a signature does is to check them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.models.spaces import Space

Outputs = dict[str, tf.Tensor]
"""By name; every one has a row for every row of the inputs."""

IMAGE_BYTES = tf.TensorSpec((None,), tf.string, "image_bytes")
LABEL = tf.TensorSpec((None,), tf.int64, "label")
SEED = tf.TensorSpec((None,), tf.int64, "seed")
KEYS = tf.TensorSpec((None,), tf.string, "keys")


def examples_spec(space: Space) -> tf.TensorSpec:
    """Raw pixels ``images uint8 [N, H, W, D]``, or ``features float32 [N, F]``."""
    return tf.TensorSpec((None, *space.shape), space.dtype, space.name)


@dataclass(frozen=True)
class Signature:
    """A function to be served.

    Args:
        inputs: Named specifications; the first axis is N in all of them.
        run: Takes a tensor for each input, in that order.
    """

    inputs: tuple[tf.TensorSpec, ...]
    run: Callable[..., Outputs]

    def __call__(self, *tensors: tf.Tensor) -> Outputs:
        """Check the inputs, then run.

        Raises:
            tf.errors.InvalidArgumentError: A shape is wrong, there are no rows, or not as many
                in every input.
        """
        shaped = [tf.ensure_shape(t, s.shape) for t, s in zip(tensors, self.inputs, strict=True)]
        names = ", ".join(spec.name for spec in self.inputs)
        counts = tf.stack([tf.shape(tensor)[0] for tensor in shaped])
        equal = (counts[0] > 0) & tf.reduce_all(counts == counts[0])
        (*checked,) = require(equal, f"expected as many rows, at least 1, in {names}; got", counts)(
            *shaped
        )
        return self.run(*checked)


Signatures = Mapping[str, Signature]
"""By the name that requests call them by."""


def require(
    condition: tf.Tensor, message: str, got: tf.Tensor
) -> Callable[..., tuple[tf.Tensor, ...]]:
    """Lets tensors pass only where a condition holds.

    Args:
        condition: Scalar bool.
        message: What was expected.
        got: Its values end the message.

    Returns:
        From tensors to the same tensors, which cannot be had before the condition is checked.
    """
    assertion = tf.debugging.Assert(condition, [message, got])

    def passed(*tensors: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.control_dependencies([assertion]):
            return tuple(tf.identity(tensor) for tensor in tensors)

    return passed
