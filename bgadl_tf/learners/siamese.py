"""SimSiam, a pretext task that needs no label: two views of one image predict each other.

With z = projector(trunk(view)) and p = predictor(z) of two views::

    D(p1, sg z2) / 2 + D(p2, sg z1) / 2,     D(p, z) = -cos(p, z),   sg: no gradient

Chen and He, "Exploring Simple Siamese Representation Learning" (CVPR 2021), equation 4.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.learners.fused_optimizers import MomentumSGD
from bgadl_tf.learners.task import PretextTask
from bgadl_tf.learners.views import Views
from bgadl_tf.models import groups, losses, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.perceptron import Perceptron


@keras.saving.register_keras_serializable("bgadl_tf")
class SimSiam(PretextTask):
    """Trains the trunk of a classifier, a projector and a predictor; never the classifier's head.

    Its metrics are ``loss``, -1 at best, and ``spread``, which tells whether the outputs have
    collapsed: see ``spread``.

    Args:
        classifier: Whose trunk is trained.
        projector: From features ``[B, F]`` to z ``[B, d]``.
        predictor: From z to p, both ``[B, d]``.
        views: Draws a view of every image.
        steps: Over which the learning rates fall to 0, along half a cosine.
        learning_rate: Of momentum SGD, at the first step.
        weight_decay: Shrinks weights by its product with the learning rate, every step.
    """

    main = "projector"
    terms = ("loss", "spread")

    def __init__(
        self,
        classifier: Classifier,
        projector: Perceptron,
        predictor: Perceptron,
        views: Views,
        *,
        steps: int,
        learning_rate: float,
        weight_decay: float = 0.0,
        **kw: Any,
    ) -> None:
        super().__init__(classifier, learning_rate, **kw)
        self.projector, self.predictor = projector, predictor
        self.views, self.steps, self.weight_decay = views, steps, weight_decay
        self.built = True

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {
            "classifier": self.classifier,
            "projector": self.projector,
            "predictor": self.predictor,
        }

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {
            name: MomentumSGD(
                keras.optimizers.schedules.CosineDecay(self.learning_rate, self.steps),
                momentum=0.9,
                weight_decay=self.weight_decay or None,
            )
            for name in self.networks
        }

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step on a ``Batch``, or on what ``fit`` hands it; no label is looked at."""
        images, seed = self.inputs_of(data), self.step_seed()
        views = [self.views(images, noise.fold(seed, number)) for number in range(2)]
        with tf.GradientTape() as tape:
            features = self.classifier.features_of_groups(views)
            projections = self.projector(features, training=True, groups=(1, 1))
            predictions = self.predictor(projections, training=True, groups=(1, 1))
            (z1, z2), (p1, p2) = (groups.split(of, (1, 1)) for of in (projections, predictions))
            term = 0.5 * (losses.negative_cosine(p1, z2) + losses.negative_cosine(p2, z1))
            loss = losses.global_mean(term)
        self.descend(tape, dict.fromkeys(self.networks, loss))
        return self.report({"loss": term, "spread": spread(z1)})


def spread(projections: tf.Tensor) -> tf.Tensor:
    """Standard deviation over the batch of z / |z|, averaged over its dimensions.

    0 when all outputs are the same, 1 / sqrt(d) when they point anywhere (Chen and He 2021,
    section 4.1). On several replicas each takes that of its own share.

    Args:
        projections: z ``[B, d]``.

    Returns:
        Scalar float32.
    """
    directions = tf.math.l2_normalize(tf.cast(projections, tf.float32), axis=1)
    return tf.reduce_mean(tf.math.reduce_std(directions, axis=0))
