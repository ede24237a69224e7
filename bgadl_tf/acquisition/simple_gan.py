"""Simple GAN: random examples of a generator, the baseline of query synthesis.

Zhu and Bento, "Generative Adversarial Active Learning" (arXiv:1702.07956, 2017): G(z) of a DCGAN of
the pool, z from N(0, I), whatever the classifier makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ACQUISITIONS
from bgadl_tf.acquisition.dcgan import DCGAN
from bgadl_tf.acquisition.synthesis import Made, Synthesises, stored
from bgadl_tf.models.classifiers.base import Classifier


@ACQUISITIONS.register("simple_gan")
@dataclass(frozen=True)
class SimpleGAN(Synthesises):
    """Asks about G(z) of random z; every score is 0. See ``synthesis.Synthesises``."""

    name: ClassVar[str] = "simple_gan"

    def made_of(self, gan: DCGAN, classifier: Classifier, latents: tf.Tensor) -> Made:
        examples, _ = stored(classifier, gan.make(latents))
        return Made(examples, tf.zeros(tf.shape(latents)[:1]), {})
