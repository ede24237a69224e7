"""GAAL: examples that a generator makes where the classifier is least sure.

Zhu and Bento, "Generative Adversarial Active Learning" (arXiv:1702.07956, 2017), algorithm 1: from
random z, with G a frozen DCGAN of the pool and w the classifier's, gradient descent on::

    min over z of |w^T phi(G(z)) + b|

Here the distance to the nearest decision boundary, in what the last layer sees, that ``mase`` has
of the pool: of two classes |f_1 - f_0| / |w_1 - w_0|, so that with classifier ``linear`` it is the
paper's objective in pixels, and ``mase`` is SVM-active.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from bgadl_tf.acquisition import boundary
from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.acquisition.dcgan import DCGAN
from bgadl_tf.acquisition.descent import descend
from bgadl_tf.acquisition.synthesis import Made, Synthesises, stored
from bgadl_tf.learners.abilities import Drawable, LinearHead
from bgadl_tf.models.classifiers.base import Classifier


@ACQUISITIONS.register("gaal")
@dataclass(frozen=True)
class GAAL(Synthesises):
    """Asks about G(z) nearest to a boundary of the classifier without dropout.

    Scores are minus the distance of the example as it is admitted, rounded to 8 bits. Each descent
    has a z of its own to begin from, and its best point counts. ``Query.facts`` holds means over
    the query of ``distance`` and of ``distance_at_first``, that of the z it began from, and of
    ``latent_shift``, how far z has moved. See ``synthesis.Synthesises`` for the rest; a query takes
    ``descents`` + 1 passes forth and back through G and the classifier.

    Args:
        descents: Steps in z, at most; see ``descent``.
        longest: Length of a step in z that is not exceeded: |z| is about sqrt(Z), and far from
            there G has learnt nothing.
    """

    name: ClassVar[str] = "gaal"
    needs: ClassVar[tuple[type, ...]] = (Drawable, LinearHead)

    descents: int = 50
    longest: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.descents >= 0, "descents", "at least 0")
        self._require(self.longest > 0, "longest", "positive")

    def made_of(self, gan: DCGAN, classifier: Classifier, latents: tf.Tensor) -> Made:
        def distance(points: tf.Tensor) -> tf.Tensor:
            return to_boundary(classifier, gan.make(points))

        best = descend(distance, latents, self.descents, self.longest)
        examples, seen = stored(classifier, gan.make(best))
        found = to_boundary(classifier, seen)
        facts = {
            "distance": found,
            "distance_at_first": distance(latents),
            "latent_shift": tf.norm(best - latents, axis=1),
        }
        return Made(examples, -found, facts)


def to_boundary(classifier: Classifier, inputs: tf.Tensor) -> tf.Tensor:
    """Distances ``[n]`` of inputs ``[n, *shape]``, seen as networks do, to the nearest boundary."""
    log_probs = classifier.head(classifier.features(inputs))
    distances = boundary.distances(log_probs, classifier.head.last_kernel())
    return tf.gather(distances, tf.argmax(log_probs, axis=1), batch_dims=1)
