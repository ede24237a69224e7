"""The paper's learner: a VAE-ACGAN, whose four networks co-evolve.

Tran, Do, Reid and Carneiro, "Bayesian Generative Active Deep Learning" (ICML 2019). With
z ~ q(z | x) from the encoder, u ~ N(0, I), x' = G(z, y) and x'' = G(u, y)::

    E:  |x - x'|^2 + b KL(q(z | x) || N(0, I))
    G:  g |x - x'|^2  - log D(x'')  - log C(y | x'')
    D:  -log D(x)  - log(1 - D(x'))  - log(1 - D(x''))
    C:  -log C(y | x)  - w/2 [log C(y | x') + log C(y | x'')]

The four networks step at once from shared forward passes (``vaeacgan-alternating``: in turns, as
in the released code). Where the pool is used
(``AdversarialOptions.unlabelled``), E and G reconstruct its images too, under the label C gives
them, and the x that D takes for real are images of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.autoencoding import AutoencodingLearner
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.emphasis import emphasised
from bgadl_tf.learners.information import InformationOptions
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.probation import evidence
from bgadl_tf.learners.probation.groups import Factors, counting, forms_of, named_terms
from bgadl_tf.models import noise
from bgadl_tf.models.groups import Groups, split
from bgadl_tf.models.losses import (
    cross_entropy_fake,
    cross_entropy_real,
    global_mean,
    scale_gradient,
)


@dataclass(frozen=True, kw_only=True)
class VAEACGANOptions(InformationOptions):
    """The weights of the VAE's terms; ``InformationOptions`` say what x' keeps of x.

    Args:
        reconstruction_weight: g, the weight of the reconstruction in G's objective.
        kl_weight: b, the weight of the KL divergence in E's objective; 2 makes it the evidence
            bound of a Gaussian likelihood of unit variance.
    """

    reconstruction_weight: float = 0.75
    kl_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.reconstruction_weight > 0:
            raise ConfigError(
                f"--option reconstruction_weight is {self.reconstruction_weight}; must be "
                "positive: without it G is no decoder and x' has nothing to do with x"
            )
        if self.kl_weight < 0:
            raise ConfigError(f"--option kl_weight is {self.kl_weight}; must be at least 0")


@LEARNERS.register("vaeacgan")
@keras.saving.register_keras_serializable("bgadl_tf")
class VAEACGAN(AutoencodingLearner):
    """Encoder, generator, discriminator and classifier, each descending its own objective.

    Args:
        classifier: C.
        encoder: E.
        generator: G, also the decoder.
        discriminator: D.
        options: The learner's settings.
        prior: The means of the classes' priors, where these are not standard.
    """

    options_type = VAEACGANOptions
    options: VAEACGANOptions
    terms = (
        "classification", "classification_reconstructed", "classification_generated",
        "reconstruction", "kl", "discriminator_real", "discriminator_reconstructed",
        "discriminator_generated", "generator_adversarial",
    )  # fmt: skip
    further_groups = ("reconstructed", "generated")
    evidence_of = (*evidence.MISTAKES, *evidence.RECONSTRUCTION)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = self.step_seed()
        batch = self.prepared(self.unpack(data), seed)
        terms: dict[str, tf.Tensor] = {}
        warmup, factors = self.warmup(), self.group_factors()
        for number, turn in enumerate(self.turns):
            if self.prior is not None and "encoder" in turn:
                turn += ("prior",)
            with tf.GradientTape(persistent=True) as tape:
                found, log_probs, further = self.terms_of(turn, batch, noise.fold(seed, number))
                agreed = self.agree(further, batch.labels, noise.fold(seed, number, 5))
                counted = counting(self.classified(found), agreed) if further else {}
                parts = self.parts(counted, factors)
                objectives = self.objectives(turn, found, parts)
            shares = self.descend(tape, objectives, parts)
            terms |= found
        batch = self.ordinary(batch, terms["reconstruction"])
        self.finish_step(agreed, shares, batch, seed, warmup=warmup)
        fakes = {group: terms[f"discriminator_{group}"] for group in self.further_groups}
        inputs = [batch.examples, *([batch.unlabelled] if self.uses_unlabelled else [])]
        self.look_at(terms["discriminator_real"], fakes, terms["reconstruction"], inputs)
        return self.track(terms, self.per_example(counted, factors), log_probs["real"], batch)

    def group_factors(self) -> Factors:
        augmented = 0.5 * self.generated_weight()
        own = dict.fromkeys(self.further_groups, augmented)
        return {**own, **super().group_factors()}

    @property
    def turns(self) -> tuple[tuple[str, ...], ...]:
        """Which networks step together, and in which order."""
        return (("encoder", "generator", "discriminator", "classifier"),)

    def terms_of(
        self, turn: tuple[str, ...], batch: Batch, seed: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """What the networks of a turn need.

        Returns:
            Loss terms ``[B]`` by name; by group, C's log-probabilities ``[B, C]``, and further
            examples ``[B, *shape]`` that C learns from in this turn.
        """
        y = batch.labels
        inputs, labels = self.autoencoded(batch)
        posterior = self.encoder(inputs, training=True)
        z = posterior.sample(self.posterior_noise(noise.fold(seed, 1), tf.shape(y)[0]))
        kl = self.divergence(posterior, labels)
        # E minimises the error, G g times the error: with this, one backward pass serves both.
        z = scale_gradient(z, 1.0 / self.options.reconstruction_weight)
        if {"generator", "classifier"}.isdisjoint(turn):
            rebuilt = self.generator((z, labels), training=True)
            return {"reconstruction": self.error(inputs, rebuilt), "kl": kl}, {}, {}
        u = noise.normal(noise.fold(seed, 2), tf.shape(y)[0], self.latent_dim)
        parts = [z, self.from_prior(u, y)]
        sizes: Groups = (2 if self.uses_unlabelled else 1, 1)
        if self.options.posterior == "mean":
            parts, sizes = [*parts, posterior.mean[: tf.shape(y)[0]]], (*sizes, 1)
        latents = tf.concat(parts, 0), tf.concat([labels, *[y] * (len(parts) - 1)], 0)
        made = split(self.generator(latents, training=True, groups=sizes), sizes)
        rebuilt, generated, *of_means = made
        terms = {"reconstruction": self.error(inputs, rebuilt), "kl": kl}
        # Apart from the others, since G's gradient comes back through x'' alone.
        d = self.discriminate({"generated": generated})
        further = {"generated": self.for_classifier(generated)}
        c = self.classify(further, noise.fold(seed, 3))
        terms["generator_adversarial"] = cross_entropy_real(d["generated"])
        if "discriminator" in turn:
            x_rebuilt = of_means[0] if of_means else rebuilt[: tf.shape(y)[0]]
            d |= self.discriminate({"real": batch.unlabelled, "reconstructed": x_rebuilt})
            if self.options.ascent_steps:
                latent = parts[2 if of_means else 0][: tf.shape(y)[0]]
                moved = self.ascended(latent, y, noise.fold(seed, 6)).latents
                x_rebuilt = tf.stop_gradient(self.generator((moved, y)))
            also = {"reconstructed": x_rebuilt, **self.beside(batch)}
            c |= self.classify({**forms_of(batch), **also}, noise.fold(seed, 4))
            further |= also
            terms["discriminator_real"] = cross_entropy_real(d["real"])
            terms["discriminator_reconstructed"] = cross_entropy_fake(d["reconstructed"])
            terms["discriminator_generated"] = cross_entropy_fake(d["generated"])
        batch = self.ordinary(batch, terms["reconstruction"])
        of_groups = self.terms_of_groups(c, batch)
        of_groups |= {g: emphasised(of_groups[g], batch) for g in self.further_groups if g in c}
        terms |= named_terms(of_groups)
        return terms, c, further if "discriminator" in turn else {}

    def objectives(
        self,
        turn: tuple[str, ...],
        terms: Mapping[str, tf.Tensor],
        parts: Mapping[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """The scalar that each network of a turn descends.

        Args:
            turn: Networks that step together.
            terms: Per-example loss terms ``[B]``.
            parts: Of C's objective, scalars by group of examples.
        """
        means = {name: global_mean(term) for name, term in terms.items()}

        def total(weights: Mapping[str, float | tf.Tensor]) -> tf.Tensor:
            return tf.add_n([means[name] * w for name, w in weights.items() if name in means])

        options = self.options
        autoencoder = total({
            "reconstruction": options.reconstruction_weight,
            "kl": options.kl_weight,
            "generator_adversarial": options.adversarial_weight,
            "classification_generated": options.class_weight,
        })  # fmt: skip
        if "classifier" not in turn:
            return dict.fromkeys(turn, autoencoder)
        every = {
            "encoder": autoencoder,
            "prior": autoencoder,
            "generator": autoencoder,
            "discriminator": total({
                "discriminator_real": 1.0,
                "discriminator_reconstructed": 1.0,
                "discriminator_generated": 1.0,
            }),
            "classifier": tf.add_n([*parts.values()]),
        }  # fmt: skip
        return {name: every[name] for name in turn}

    def posterior_noise(self, seed: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Noise of the draws from q(z | x), ``count`` rows for each group of examples."""
        salts = (1, 4) if self.uses_unlabelled else (1,)
        groups = [noise.normal(noise.fold(seed, s), count, self.latent_dim) for s in salts]
        return tf.concat(groups, 0)


@LEARNERS.register("vaeacgan-alternating")
@keras.saving.register_keras_serializable("bgadl_tf")
class AlternatingVAEACGAN(VAEACGAN):
    """The same with the updates of the released code: E steps, then G, then D and C.

    Each of the three turns has forward passes of its own, through what the turn before has
    changed, and so takes longer.
    """

    @property
    def turns(self) -> tuple[tuple[str, ...], ...]:
        return ("encoder",), ("generator",), ("discriminator", "classifier")
