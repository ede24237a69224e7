"""A generator that is also a decoder: the encoder beside it, and the x' and x'' of an example."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.adversarial import AdversarialLearner, generative_networks
from bgadl_tf.learners.ascent import Ascended, ascend
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.further import Further
from bgadl_tf.learners.information import InformationOptions
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.learners.similarity import reconstruction_error
from bgadl_tf.models import noise
from bgadl_tf.models.class_prior import ClassPrior
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.encoder import Encoder, Posterior
from bgadl_tf.models.generator import Generator
from bgadl_tf.models.losses import global_mean, kl_divergence, summed_over_replicas


class AutoencodingLearner(AdversarialLearner):
    """A classifier, a generator, a discriminator, and an encoder of what the generator makes.

    Args:
        classifier: C.
        encoder: E.
        generator: G, also the decoder.
        discriminator: D.
        options: The learner's settings.
        prior: The means of the classes' priors, where these are not standard.
    """

    options_type: ClassVar[type[ProbationOptions]] = InformationOptions
    options: InformationOptions

    def __init__(
        self,
        classifier: Classifier,
        encoder: Encoder,
        generator: Generator,
        discriminator: Discriminator,
        options: Options | None = None,
        prior: ClassPrior | None = None,
        **kw: Any,
    ) -> None:
        super().__init__(classifier, generator, discriminator, options, **kw)
        self.encoder, self.prior = encoder, prior
        steps = self.options.ascent_steps
        if steps and not classifier.is_stochastic:
            raise ConfigError(
                f"--option ascent_steps is {steps}, and without dropout there is no BALD to climb; "
                "use a classifier with dropout, or 0"
            )

    @classmethod
    def create(cls, classifier: Classifier, options: Options) -> Self:
        networks = generative_networks(classifier, options)
        if not isinstance(options, InformationOptions):
            raise ConfigError(f"options are {type(options).__name__}; expected InformationOptions")
        encoder = Encoder(
            classifier.example_shape,
            options.latent_dim,
            options.width,
            dtype=classifier.dtype_policy,
        )
        if options.prior == "class":
            networks["prior"] = ClassPrior(classifier.classes, options.latent_dim)
        return cls(classifier, encoder=encoder, **networks, options=options)

    @property
    def networks(self) -> dict[str, keras.Model]:
        prior = {} if self.prior is None else {"prior": self.prior}
        return {**super().networks, "encoder": self.encoder, **prior}

    def augment(self, examples: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The paper's x' = G(E(x), y).

        Args:
            examples: ``[B, *shape]`` as they are stored.
            labels: ``[B]``.
            seed: ``[2]``, of the draw from the posterior.

        Returns:
            The same shape and type.
        """
        return self.decode(self._posterior_latents(examples, seed), labels)

    def further(self, asked: Batch, seed: tuple[int, int]) -> Further | None:
        """x' of every x*, which is what joins; with ascent, x'' of the same z as a variant."""
        further = super().further(asked, seed)
        if further is None or not self.options.ascent_steps:
            return further
        latents, labels = self._posterior_latents(asked.examples, seed), tf.constant(asked.labels)
        found = self.ascended(latents, labels, noise.fold(tf.constant(seed), 5))
        return further._replace(
            facts={**further.facts, "ascended_distance": found.distance.numpy()},
            variants={"ascended": self.decode(found.latents, labels).numpy()},
        )

    def ascended(self, latents: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Ascended:
        """Latents ``[B, Z]`` moved to where C knows less of G(z, y); see ``ascent``."""
        options = self.options
        masks = self.classifier.head.mc_masks(seed, options.ascent_passes)
        return ascend(
            self.classifier, self.generator, latents, labels, masks,
            options.ascent_steps, options.ascent_radius,
        )  # fmt: skip

    def from_prior(self, noise: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        # The means learn from E's posteriors alone: D and C would have them make typical examples.
        return noise if self.prior is None else noise + tf.stop_gradient(self.prior(labels))

    def divergence(self, posterior: Posterior, labels: tf.Tensor) -> tf.Tensor:
        """KL(q(z | x) || prior of the label), ``[B]``, nats."""
        mean = posterior.mean if self.prior is None else posterior.mean - self.prior(labels)
        return kl_divergence(mean, posterior.log_variance, self.options.free_bits)

    def error(self, examples: tf.Tensor, rebuilt: tf.Tensor) -> tf.Tensor:
        """Of reconstructions ``[B, *shape]``, ``[B]``; see ``similarity``."""
        return reconstruction_error(self.options, self.discriminator, examples, rebuilt)

    def ordinary(self, batch: Batch, errors: tf.Tensor) -> Batch:
        """The batch without the pseudo-labels of examples that the VAE finds unusual.

        Args:
            batch: Transformed.
            errors: Of x', ``[B]`` of the labelled examples, then ``[B]`` of the pool's.
        """
        largest = self.options.pseudo_ordinary
        if batch.guess is None or not largest:
            return batch
        of_pool = tf.stop_gradient(errors[tf.shape(batch.labels)[0] :])
        mean = summed_over_replicas(global_mean(of_pool))
        weights = batch.guess.weights * tf.cast(of_pool <= largest * mean, tf.float32)
        return batch._replace(guess=batch.guess._replace(weights=weights))

    def _posterior_latents(self, examples: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shape = [tf.shape(examples)[0], self.latent_dim]
        return self.encode(examples, tf.random.stateless_normal(shape, seed, alg="philox"))

    def encode(self, examples: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
        """Draws from q(z | x), ``[B, Z]``, or its means, as ``options.posterior`` says.

        Args:
            examples: ``[B, *shape]`` as they are stored.
            eps: Standard normal noise ``[B, Z]``.
        """
        posterior = self.encoder(self.space.to_float(tf.convert_to_tensor(examples)))
        return posterior.mean if self.options.posterior == "mean" else posterior.sample(eps)
