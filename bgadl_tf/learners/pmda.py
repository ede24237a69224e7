"""Poor man's data augmentation: label-preserving transforms of the labelled images.

The paper's "AL w. PMDA". Small shifts and scalings with bilinear resampling for every image,
and mirror images where the images are in colour: a mirrored digit is another digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners import affine
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.models.classifiers.base import Classifier


@dataclass(frozen=True, kw_only=True)
class PMDAOptions(Options):
    """How far images are moved; a learner's options extend ``Options``.

    Args:
        shift: Largest shift in each direction, as a fraction of the image's side.
        zoom: Largest relative change of size.
        rotation: Largest rotation, in degrees.
    """

    shift: float = 0.07
    zoom: float = 0.1
    rotation: float = 10.0


@LEARNERS.register("pmda")
@keras.saving.register_keras_serializable("bgadl_tf")
class PMDA(Learner):
    """Supervised learning on randomly shifted, scaled, rotated (and mirrored) images."""

    options_type = PMDAOptions
    options: PMDAOptions

    @classmethod
    def create(cls, classifier: Classifier, options: Options) -> Self:
        if len(classifier.example_shape) != 3:
            raise ConfigError(
                f"learner 'pmda' shifts, scales and rotates images, and examples have shape "
                f"{classifier.example_shape}; use another learner"
            )
        return super().create(classifier, options)

    def transform(self, examples: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Random affine transform of every image, and mirroring of colour images.

        Args:
            examples: Images ``[B, H, W, D]`` in [0, 1].
            seed: ``[2]``.

        Returns:
            The same shape; what comes in from outside the image is 0.
        """
        return affine.moved_at_random(
            examples,
            seed,
            shift=self.options.shift,
            zoom=self.options.zoom,
            rotation=self.options.rotation,
            mirrors=examples.shape[-1] == 3,
        )
