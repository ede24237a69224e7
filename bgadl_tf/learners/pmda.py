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
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.models import noise
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
        height, width, channels = examples.shape[1:]
        count = tf.shape(examples)[0]
        angle, zoom_x, zoom_y, shift_x, shift_y, mirror = tf.unstack(
            2.0 * noise.uniform(seed, count, (6,)) - 1.0, axis=1
        )
        angle *= self.options.rotation * 3.141592653589793 / 180.0
        zoom_x, zoom_y = (1.0 + self.options.zoom * zoom for zoom in (zoom_x, zoom_y))
        if channels == 3:
            zoom_x *= tf.where(mirror < 0.0, -1.0, 1.0)
        cos_x, sin_x = tf.cos(angle) * zoom_x, tf.sin(angle) * zoom_y
        sin_y, cos_y = tf.sin(angle) * zoom_x, tf.cos(angle) * zoom_y
        centre_x, centre_y = (width - 1) / 2.0, (height - 1) / 2.0
        offset_x = (
            centre_x * (1.0 - cos_x) + centre_y * sin_x + self.options.shift * width * shift_x
        )
        offset_y = (
            centre_y * (1.0 - cos_y) - centre_x * sin_y + self.options.shift * height * shift_y
        )
        zeros = tf.zeros_like(angle)
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=examples,
            transforms=tf.stack(
                [cos_x, -sin_x, offset_x, sin_y, cos_y, offset_y, zeros, zeros], axis=1
            ),
            output_shape=[height, width],
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
            fill_value=0.0,
        )
