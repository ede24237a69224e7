"""A generative adversarial network of all examples, that knows nothing of the task.

With x an example and z from N(0, I)::

    D:  - log D(x) - log (1 - D(G(z)))
    G:  - log D(G(z))

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks" (ICLR 2016); the objective of G is the one that does not saturate (Goodfellow
et al. 2014). G ends in a sigmoid: what it makes is in [0, 1] as the networks see every image, where
the paper's ends in tanh and makes images in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.core.types import Shape
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.fused_optimizers import Adam
from bgadl_tf.learners.task import Task
from bgadl_tf.models import groups, losses, noise
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.generator import Generator
from bgadl_tf.models.spaces import space_of

WEIGHT = "weight_"
"""Names of the kept weights of G begin so."""


class DCGAN(Task):
    """G and D; BatchNorm of D sees what is real and what is made apart.

    Its metrics are ``fooling`` and ``discrimination``, nats; log 2 and 2 log 2 where D knows
    nothing.

    Args:
        shape: Of an example.
        latent_dim: Z.
        width: Multiplies the channel and unit counts.
        learning_rate: Of Adam with beta_1 = 0.5, of both.
    """

    main = "generator"
    terms = ("fooling", "discrimination")

    def __init__(
        self, shape: Shape, latent_dim: int, width: float, learning_rate: float, **kw: Any
    ) -> None:
        super().__init__(learning_rate, **kw)
        self._keep("space", space_of(shape))
        # A label that is always the same is a bias.
        self.generator = Generator(shape, 1, latent_dim, width)
        self.discriminator = Discriminator(shape, width)
        self.built = True

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {name: Adam(self.learning_rate, beta_1=0.5, beta_2=0.999) for name in self.networks}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of both at once; no label is looked at."""
        real = self.space.to_float(tf.convert_to_tensor(Batch.of(data).examples))
        latents = noise.normal(self.step_seed(), tf.shape(real)[0], self.generator.latent_dim)
        with tf.GradientTape(persistent=True) as tape:
            made = self.make(latents, training=True)
            logits = self.discriminator(tf.concat([real, made], 0), training=True, groups=(1, 1))
            of_real, of_made = groups.split(logits, (1, 1))
            fooling = losses.cross_entropy_real(of_made)
            told = losses.cross_entropy_real(of_real) + losses.cross_entropy_fake(of_made)
            objectives = {
                "generator": losses.global_mean(fooling),
                "discriminator": losses.global_mean(told),
            }
        self.descend(tape, objectives)
        return self.report({"fooling": fooling, "discrimination": told})

    def make(self, latents: tf.Tensor, training: bool = False) -> tf.Tensor:
        """G(z) ``[n, *shape]`` of latents ``[n, Z]``, images in [0, 1]."""
        nothing = tf.zeros(tf.shape(latents)[:1], tf.int32)
        made: tf.Tensor = self.generator((latents, nothing), training=training)
        return made

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Weights of G, by name."""
        return {f"{WEIGHT}{n}": weight.numpy() for n, weight in enumerate(self.generator.weights)}

    def from_arrays(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Give G the weights that ``to_arrays`` has returned."""
        for number, weight in enumerate(self.generator.weights):
            weight.assign(kept[f"{WEIGHT}{number}"])
