"""From what clients send to what a learner learns from: a backbone, then a projection.

A run in the features of a frozen backbone sees vectors that were computed once. What is served sees
images, and computes the same vectors in its graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.projection import Projection
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.pretrained import files
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.precision import in_precision
from bgadl_tf.models.spaces import Space, space_of


@dataclass(frozen=True)
class Pipeline:
    """What examples go through before they reach a learner; nothing where there is neither part.

    Args:
        backbone: From images to features; None where what is sent are vectors, or where images are
            learnt from.
        projection: From features to what is learnt from; None where that is the features.
        store: What features were kept as between the two, ``float16`` or ``float32``: they are
            rounded to it, as those that were learnt from are.
        resize: How encoded images get the size that the backbone sees, of ``images.resize.MODES``.
    """

    backbone: Backbone | None = None
    projection: Projection | None = None
    store: str = "float32"
    resize: str = "stretch"

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """What the vectors of a dataset have gone through.

        Raises:
            ConfigError: Its backbone cannot be had, or is another one by now.
        """
        embedded = dataset.embedded
        if embedded is None:
            return cls(projection=dataset.projection)
        backbone = load(embedded.backbone, embedded.fingerprint, embedded.precision)
        return cls(backbone, dataset.projection, embedded.store, embedded.resize)

    @property
    def is_empty(self) -> bool:
        """Whether examples reach the learner as they are sent."""
        return self.backbone is None and self.projection is None

    def space(self, learnt: Space) -> Space:
        """Of what is sent, where ``learnt`` is that of what is learnt from."""
        if self.backbone is not None:
            return space_of(self.backbone.example_shape)
        return learnt if self.projection is None else space_of(self.projection.mean.shape)

    def __call__(self, examples: tf.Tensor) -> tf.Tensor:
        """What a learner sees, float32 ``[B, F]``, of examples as they are sent or as floats."""
        if self.backbone is not None:
            examples = tf.cast(self.backbone(examples), tf.float32)
            examples = tf.cast(tf.cast(examples, self.store), tf.float32)
        if self.projection is not None:
            mean, weights = (tf.constant(part) for part in self.projection)
            centred = examples - mean
            scales = weights.shape.rank == 1
            examples = centred * weights if scales else tf.matmul(centred, weights)
        return examples

    def to_json(self) -> Json:
        """What metadata say of it."""
        told: Json = {}
        if self.backbone is not None:
            told["backbone"] = {
                "fingerprint": self.backbone.fingerprint(),
                "pixels": self.backbone.pixels.to_json(),
                "features": self.backbone.compute_output_shape(
                    (None, *self.backbone.example_shape)
                )[-1],
                "store": self.store,
            }
        if self.projection is not None:
            told["projection"] = {
                "features": len(self.projection.mean),
                "components": self.projection.width,
                "turned": self.projection.weights.ndim == 2,
            }
        return told


class PipedClassifier(Classifier):
    """A classifier behind a pipeline, to be served.

    Args:
        classifier: What was trained.
        pipeline: What its examples have gone through.
    """

    ranks = (1, 3)

    def __init__(self, classifier: Classifier, pipeline: Pipeline) -> None:
        shape = pipeline.space(classifier.space).shape
        super().__init__(shape, classifier.classes, name=classifier.name)
        self.classifier, self.pipeline = classifier, pipeline
        self.head = classifier.head

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.classifier.features(self.pipeline(examples), training)


def load(path: Path, fingerprint: str, precision: str = "float32") -> Backbone:
    """A backbone that was kept beside its features.

    Args:
        path: Where it is.
        fingerprint: That it must have.
        precision: Of the arithmetic in which the features were computed.

    Raises:
        ConfigError: It is gone, or another one.
    """
    found: Any = files.load(path)
    if not isinstance(found, Backbone) or found.fingerprint() != fingerprint:
        raise ConfigError(
            f"{path} holds another network than the backbone of these features; restore it, or "
            "compute the features anew"
        )
    return in_precision(found, precision)
