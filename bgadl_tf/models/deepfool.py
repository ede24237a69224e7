"""DeepFool: the smallest change of an example that gives it another class, nearly.

Moosavi-Dezfooli, Fawzi and Frossard, "DeepFool: a simple and accurate method to fool deep neural
networks" (CVPR 2016), algorithm 2. With k the predicted class, w_j = grad f_j - grad f_k, until the
prediction is another one::

    j* = argmin over j of |f_j - f_k| / |w_j|,      r <- r + |f_j* - f_k| / |w_j*|^2 w_j*

each time at x + (1 + overshoot) r.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from bgadl_tf.models.classifiers.base import Classifier

Loop = tuple[tf.Tensor, tf.Tensor, tf.Tensor]

UNKNOWN = 1e9
"""Distance of an example around which the classifier is flat: no boundary is known of it."""


class Perturbed(NamedTuple):
    """What was found of each example.

    Fields:
        change: r, ``[n, *shape]``, without overshoot.
        distance: Of the boundary, ``[n]``, in units of the inputs: |r|, and where the class is
            still the same, also how far the nearest boundary seems to be from there.
        crossed: Whether the class at x + (1 + overshoot) r is another one, bool ``[n]``.
    """

    change: tf.Tensor
    distance: tf.Tensor
    crossed: tf.Tensor


class _Nearest(NamedTuple):
    """The nearest boundary of each example, in the linear view of one point."""

    distance: tf.Tensor
    step: tf.Tensor


def deepfool(
    classifier: Classifier,
    inputs: tf.Tensor,
    *,
    classes: int = 10,
    steps: int = 10,
    overshoot: float = 0.02,
) -> Perturbed:
    """Changes that take examples across the nearest boundary of a deterministic classifier.

    Memory: a few times that of the inputs and of one training pass. Time: at most ``steps`` times
    ``classes`` passes forth and back.

    Args:
        classifier: Runs without dropout, BatchNorm at inference.
        inputs: ``[n, *shape]`` float32, as networks see them. Changed ones may leave [0, 1].
        classes: Towards how many of the most probable classes, the predicted one included.
        steps: At most.
        overshoot: By which share a change is made larger, to be beyond the boundary.
    """
    start = classifier.head(classifier.features(inputs))
    ranked = tf.math.top_k(start, min(classes, classifier.classes)).indices
    predicted = ranked[:, 0]

    def onward(number: tf.Tensor, change: tf.Tensor, same: tf.Tensor) -> Loop:
        step = _nearest(classifier, inputs + (1.0 + overshoot) * change, ranked).step
        change += _each(tf.cast(same, tf.float32), inputs) * step
        changed = classifier.head(classifier.features(inputs + (1.0 + overshoot) * change))
        now = tf.argmax(changed, 1, output_type=predicted.dtype)
        return number + 1, change, same & tf.equal(now, predicted)

    _, change, same = tf.while_loop(
        lambda number, change, same: (number < steps) & tf.reduce_any(same),
        onward,
        (tf.constant(0), tf.zeros_like(inputs), tf.ones_like(predicted, tf.bool)),
    )
    # The way that is left where the class is still the same.
    left = tf.cond(
        tf.reduce_any(same),
        lambda: _nearest(classifier, inputs + (1.0 + overshoot) * change, ranked).distance,
        lambda: tf.zeros_like(start[:, 0]),
    )
    distance = _norm(change) + tf.where(same, left, tf.zeros_like(left))
    known = tf.reduce_all(tf.math.is_finite(start), 1)
    distance = tf.where(known, tf.minimum(distance, UNKNOWN), float("nan"))
    return Perturbed(change, distance, ~same)


def _nearest(classifier: Classifier, at: tf.Tensor, ranked: tf.Tensor) -> _Nearest:
    """Distance of the nearest boundary and the step to it; ``UNKNOWN`` and 0 where all is flat."""

    def linear(place: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """f and its gradient, of the class at a place of each example's ranking."""
        with tf.GradientTape() as tape:
            tape.watch(at)
            log_probs = classifier.head(classifier.features(at))
            own = tf.gather(log_probs, ranked[:, place], axis=1, batch_dims=1)
        return own, tape.gradient(own, at)

    value, slope = linear(tf.constant(0))

    def compare(place: tf.Tensor, distance: tf.Tensor, step: tf.Tensor) -> Loop:
        other, its_slope = linear(place)
        across = its_slope - slope
        length = _norm(across)
        gap = tf.abs(other - value)
        found = tf.where(length > 0, tf.math.divide_no_nan(gap, length), UNKNOWN)
        nearer = found < distance
        towards = _each(tf.math.divide_no_nan(gap, tf.square(length)), at) * across
        step = tf.where(_each(nearer, at), towards, step)
        return place + 1, tf.minimum(found, distance), step

    first = tf.constant(1), tf.fill(tf.shape(value), UNKNOWN), tf.zeros_like(at)
    _, distance, step = tf.while_loop(lambda place, *_: place < tf.shape(ranked)[1], compare, first)
    return _Nearest(distance, step)


def _norm(values: tf.Tensor) -> tf.Tensor:
    """Euclidean norm of each, ``[n]``."""
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=[*range(1, values.shape.rank)]))


def _each(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """One value an example, ``[n]``, with the axes of ``[n, *shape]``."""
    return tf.reshape(values, (-1, *[1] * (like.shape.rank - 1)))
