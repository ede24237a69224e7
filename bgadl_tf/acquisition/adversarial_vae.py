"""A variational autoencoder of labelled and unlabelled examples, and what tells them apart in it.

With mu the mean of q(z | x), of labelled examples l and unlabelled ones u::

    E, G:  sum over l and u of [error + beta KL(q(z | x) || N(0, I))]
           - adversarial_weight [log D(mu_l) + log D(mu_u)]
    D:     - log D(mu_l) - log (1 - D(mu_u))

Sinha, Ebrahimi and Darrell, "Variational Adversarial Active Learning" (ICCV 2019), equations 1-4.
The error is Z |x - x'|^2 / v, v the mean squared distance of a batch's examples from their mean:
Z for an autoencoder that has learnt nothing but the mean, whatever the scale and the number of the
values. Beside it the divergence, in nats, neither vanishes nor lets the posterior collapse; the
released code adds a sum over batch and latents to a mean over pixels, and its autoencoder does not
learn.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.task import Task
from bgadl_tf.models import losses, noise
from bgadl_tf.models.encoder import Encoder
from bgadl_tf.models.generator import Generator
from bgadl_tf.models.membership import discrimination, fooling, membership_network
from bgadl_tf.models.spaces import space_of

HIDDEN = (512, 512)
"""Units of D."""


class AdversarialVAE(Task):
    """E, G and D; both kinds of examples pass E as one batch, so BatchNorm does not part them.

    Its metrics are ``reconstruction`` and ``divergence``, means over both kinds, ``fooling`` and
    ``discrimination``.

    Args:
        shape: Of an example.
        latent_dim: Z.
        width: Multiplies the channel and unit counts of E and G.
        beta: Weight of the divergence.
        adversarial_weight: Of fooling D.
        learning_rate: Of Adam, of each.
        vae_steps: Of E and G in one of D, on the same batch.
    """

    main = "encoder"
    terms = ("reconstruction", "divergence", "fooling", "discrimination")

    def __init__(
        self,
        shape: Shape,
        latent_dim: int,
        width: float,
        *,
        beta: float,
        adversarial_weight: float,
        learning_rate: float,
        vae_steps: int,
        **kw: Any,
    ) -> None:
        super().__init__(learning_rate, **kw)
        self._keep("space", space_of(shape))
        self.encoder = Encoder(shape, latent_dim, width)
        # A label that is always the same is a bias.
        self.generator = Generator(shape, 1, latent_dim, width)
        self.discriminator = membership_network(latent_dim, HIDDEN)
        self.beta, self.adversarial_weight = beta, adversarial_weight
        self.vae_steps = vae_steps
        self.built = True

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {
            "encoder": self.encoder,
            "generator": self.generator,
            "discriminator": self.discriminator,
        }

    @property
    def uses_unlabelled(self) -> bool:
        return True

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """``vae_steps`` steps of E and G, with the last of which D takes one."""
        batch = Batch.of(data)
        labelled, unlabelled = map(self.space.to_float, (batch.examples, batch.unlabelled))
        examples = tf.concat([labelled, unlabelled], 0)
        for number in range(self.vae_steps):
            seed = noise.fold(self.step_seed(), number)
            with tf.GradientTape(persistent=True) as tape:
                posterior = self.encoder(examples, training=True)
                eps = self._noise(seed, tf.shape(labelled)[0])
                latents = posterior.sample(eps)
                nothing = tf.zeros(tf.shape(latents)[:1], tf.int32)
                rebuilt = self.generator((latents, nothing), training=True)
                relative = losses.relative_reconstruction(examples, rebuilt)
                error = relative * float(self.encoder.latent_dim)
                divergence = losses.kl_divergence(posterior.mean, posterior.log_variance)
                fooled = fooling(*self._told(posterior.mean))
                told = discrimination(*self._told(tf.stop_gradient(posterior.mean)))
                # Twice the mean over both kinds is the sum of the means over each.
                loss = 2.0 * losses.global_mean(error + self.beta * divergence)
                loss += self.adversarial_weight * losses.global_mean(fooled)
                of_d = losses.global_mean(told)
            objectives = {"encoder": loss, "generator": loss}
            if number == self.vae_steps - 1:
                objectives["discriminator"] = of_d
            self.descend(tape, objectives)
        return self.report(dict(zip(self.terms, (error, divergence, fooled, told), strict=True)))

    def logits(self, examples: tf.Tensor) -> tf.Tensor:
        """Of D(mu) = "labelled" ``[n]``, of examples ``[n, *shape]``, BatchNorm at inference."""
        mean = self.encoder(self.space.to_float(examples), training=False).mean
        return self.discriminator(mean)[:, 0]

    def _told(self, means: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits ``[B]`` of labelled and of unlabelled examples, from mu ``[2 B, Z]`` of both."""
        labelled, unlabelled = tf.split(self.discriminator(means)[:, 0], 2)
        return labelled, unlabelled

    def _noise(self, seed: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Normal noise ``[2 B, Z]``, the same for an example on any number of replicas."""
        width = self.encoder.latent_dim
        kinds = (noise.normal(noise.fold(seed, kind), count, width) for kind in range(2))
        return tf.concat([*kinds], 0)
