"""Poor man's data augmentation: label-preserving transforms of the labelled images.

The paper's "AL w. PMDA". Small shifts and scalings with bilinear resampling for every image,
and mirror images where the images are in colour: a mirrored digit is another digit. The features of
a backbone cannot be moved; the images were, before it saw them: of each example and step one of
these stored views is taken, or the example as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from bgadl_tf.learners import affine
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.models import noise


@dataclass(frozen=True, kw_only=True)
class PMDAOptions(Options):
    """How far images are moved; a learner's options extend ``Options``. Vectors have none of it.

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
    """Supervised learning on randomly shifted, scaled, rotated (and mirrored) images, or views."""

    options_type = PMDAOptions
    options: PMDAOptions

    @property
    def uses_views(self) -> bool:
        return len(self.classifier.example_shape) == 1

    def seen_of(self, batch: Batch, seed: tf.Tensor) -> tf.Tensor:
        if not self.uses_views:
            return super().seen_of(batch, seed)
        return batch.examples if batch.views is None else one_of(batch.examples, batch.views, seed)

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


def one_of(examples: tf.Tensor, views: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Each example as it is, or one of its views; all are equally probable.

    Args:
        examples: ``[B, *shape]``.
        views: ``[B, V, *shape]``.
        seed: ``[2]``.

    Returns:
        ``[B, *shape]``.
    """
    forms = tf.concat([examples[:, None], views], 1)
    draws = noise.uniform(seed, tf.shape(examples)[0], ())
    count = tf.shape(forms)[1]
    # A draw close to 1 may be rounded up.
    chosen = tf.minimum(tf.cast(draws * tf.cast(count, tf.float32), tf.int32), count - 1)
    return tf.gather(forms, chosen, axis=1, batch_dims=1)
