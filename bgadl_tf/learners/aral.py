"""The learner of ARAL: a classifier that is also the discriminator, and what tells the pool apart.

Mottaghi and Yeung, "Adversarial Representation Active Learning" (arXiv:1912.09720, 2019). With the
labelled (x, y), the unlabelled u under the label v that C gives it, and r ~ N(0, I), D(x) the
sigmoid of the log-sum-exp of C's logits, the probability of being real (Salimans et al. 2016),
f(x) what C's last layer sees, z ~ q(z | x, y) with the mean mu, and S a perceptron of mu::

    C:  -log C(y | x) - w/2 [log D(u) + log(1 - D(G(r, y)))]
    G:  |mean f(u) - mean f(G(r, y))|^2 / F + g error
    E:  error + b KL(q(z | x, y) || N(0, I)) - a [log S(mu(x, y)) + log S(mu(u, v))]
    S:  -log S(mu(x, y)) - log(1 - S(mu(u, v)))

The error is that of G(z, y) over both kinds, relative to their variance (``losses``), times Z: the
released code's means over pixels leave an autoencoder that does not learn. That code also draws r
from [0, 1], and gives E the labels of labelled examples but C's logits, or zeros, of others, by
which S tells them apart without looking at x. Here all are one-hot, given or guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import keras
import tensorflow as tf

from bgadl_tf.learners.generative import GenerativeLearner, GenerativeOptions, generator_of
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.groups import REAL, counting, forms_of, named_terms
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.encoder import Encoder, Posterior
from bgadl_tf.models.generator import Generator
from bgadl_tf.models.groups import named, split
from bgadl_tf.models.membership import discrimination, fooling, membership_network

UNLABELLED, GENERATED = "unlabelled", "generated"

HIDDEN = (512, 512, 512, 512)
"""Units of S."""


@dataclass(frozen=True, kw_only=True)
class ARALOptions(GenerativeOptions):
    """The weights of its terms; the generative networks are those of ``GenerativeOptions``.

    Args:
        unsupervised_weight: w, of telling the pool from generated examples.
        feature_matching: How far the means of features are apart: ``squared``, as the released code
            has it of grey images, or ``absolute`` differences, as it has it of colour ones.
        reconstruction_weight: g, of the error in G's objective. With much less, as released, G is
            no decoder; with much more its examples match no features.
        kl_weight: b.
        sampler_weight: a, of looking labelled to S, in E's objective.
    """

    unsupervised_weight: float = 1.0
    feature_matching: str = "squared"
    reconstruction_weight: float = 1e-2
    kl_weight: float = 1.0
    sampler_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        known = losses.DISTANCES
        self.require(
            self.feature_matching in known, "feature_matching", f"one of {', '.join(known)}"
        )
        for name in ("unsupervised_weight", "kl_weight", "sampler_weight"):
            self.require(getattr(self, name) >= 0, name, "at least 0")
        self.require(
            self.reconstruction_weight > 0,
            "reconstruction_weight",
            "positive: without it G is no decoder and z has nothing to do with x",
        )


@LEARNERS.register("aral")
@keras.saving.register_keras_serializable("bgadl_tf")
class ARAL(GenerativeLearner):
    """Classifier, generator, encoder and sampler, each descending its own objective.

    Args:
        classifier: C, which is also the discriminator.
        generator: G, also the decoder.
        encoder: E, given the label, too.
        sampler: S, what tells labelled from unlabelled examples by their latents.
        options: The learner's settings.
    """

    options_type = ARALOptions
    options: ARALOptions
    terms = (
        "classification", "unlabelled_real", "generated_fake", "feature_matching",
        "reconstruction", "kl", "fooling", "discrimination",
    )  # fmt: skip

    def __init__(
        self,
        classifier: Classifier,
        generator: Generator,
        encoder: Encoder,
        sampler: keras.Model,
        options: Options | None = None,
        **kw: Any,
    ) -> None:
        super().__init__(classifier, generator, options, **kw)
        self.encoder, self.sampler = encoder, sampler

    @classmethod
    def create(cls, classifier: Classifier, options: Options) -> Self:
        generator = generator_of(classifier, options)
        encoder = Encoder(
            classifier.example_shape,
            generator.latent_dim,
            generator.width,
            classifier.classes,
            dtype=classifier.dtype_policy,
        )
        sampler = membership_network(generator.latent_dim, HIDDEN)
        return cls(classifier, generator, encoder, sampler, options)

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {**super().networks, "encoder": self.encoder, "sampler": self.sampler}

    @property
    def uses_unlabelled(self) -> bool:
        return True

    # One step

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed = self.step_seed()
        batch = self.prepared(self.unpack(data), seed)
        further = self.beside(batch)
        agreed = self.agree(further, batch.labels, noise.fold(seed, 4))
        inputs, labels = self.autoencoded(batch)
        with tf.GradientTape(persistent=True) as tape:
            posterior = self.encoder(inputs, training=True, labels=labels)
            rebuilt, generated = self.made_from(posterior, labels, batch.labels, seed)
            fakes = {UNLABELLED: batch.unlabelled, GENERATED: generated}
            logits, hidden = self.see({**forms_of(batch), **further, **fakes}, noise.fold(seed, 3))
            found = self.generative_terms(posterior, inputs, rebuilt, logits, hidden)
            log_probs = {g: tf.nn.log_softmax(own) for g, own in logits.items() if g not in fakes}
            terms = self.terms_of_groups(log_probs, batch)
            unsupervised = 0.5 * (found["unlabelled_real"] + found["generated_fake"])
            real = terms[REAL] + self.options.unsupervised_weight * unsupervised
            counted = counting({**terms, REAL: real}, agreed)
            factors = self.group_factors()
            parts, total = self.parts(counted, factors), self.per_example(counted, factors)
            objectives = self.objectives(found, losses.global_mean(total))
        shares = self.descend(tape, objectives, parts)
        self.finish_step(agreed, shares, batch, seed)
        return self.track({**named_terms(terms), **found}, total, log_probs[REAL], batch)

    def made_from(
        self, posterior: Posterior, labels: tf.Tensor, given: tf.Tensor, seed: tf.Tensor
    ) -> list[tf.Tensor]:
        """G(z, y) ``[2 B, *shape]`` of what E saw, and G(r, y) ``[B, *shape]``."""
        count, width = tf.shape(given)[0], self.latent_dim
        # Of each kind by itself, which is the same for an example on any number of replicas.
        eps = [noise.normal(noise.fold(seed, salt), count, width) for salt in (1, 5)]
        drawn = noise.normal(noise.fold(seed, 2), count, width)
        latents = tf.concat([posterior.sample(tf.concat(eps, 0)), drawn], 0)
        inputs = latents, tf.concat([labels, given], 0)
        return split(self.generator(inputs, training=True, groups=(2, 1)), (2, 1))

    def see(
        self, examples: Mapping[str, tf.Tensor], seed: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """C's logits ``[B, C]`` and f ``[B, P]`` of each group; every example has its own mask."""
        head, count = self.classifier.head, tf.shape(examples[REAL])[0]
        features = self.classifier.features_of_groups([*examples.values()])
        drawn = [
            head.example_masks(noise.fold(seed, group), count) for group in range(len(examples))
        ]
        masks = [tf.concat(stage, 0) for stage in zip(*drawn, strict=True)]
        hidden = tf.cast(head.penultimate(features), tf.float32)
        return named(head.logits(features, masks), examples), named(hidden, examples)

    def generative_terms(
        self,
        posterior: Posterior,
        inputs: tf.Tensor,
        rebuilt: tf.Tensor,
        logits: Mapping[str, tf.Tensor],
        hidden: Mapping[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """Every term but the class ones, ``[B]``; of the autoencoder ``[2 B]``."""
        real, fake = (tf.reduce_logsumexp(logits[g], axis=1) for g in (UNLABELLED, GENERATED))
        told = self._told(tf.stop_gradient(posterior.mean))
        error = losses.relative_reconstruction(inputs, rebuilt) * float(self.latent_dim)
        return {
            "unlabelled_real": losses.cross_entropy_real(real),
            "generated_fake": losses.cross_entropy_fake(fake),
            "feature_matching": losses.feature_matching(
                hidden[UNLABELLED], hidden[GENERATED], self.options.feature_matching
            ),
            "reconstruction": error,
            "kl": losses.kl_divergence(posterior.mean, posterior.log_variance),
            "fooling": fooling(*self._told(posterior.mean)),
            "discrimination": discrimination(*told),
        }

    def objectives(
        self, terms: Mapping[str, tf.Tensor], of_classifier: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The scalar that each network descends."""
        means = {name: losses.global_mean(term) for name, term in terms.items()}
        options = self.options
        return {
            "classifier": of_classifier,
            "generator": means["feature_matching"]
            + options.reconstruction_weight * means["reconstruction"],
            # Twice the mean over both kinds is the sum of the means over each.
            "encoder": 2.0 * (means["reconstruction"] + options.kl_weight * means["kl"])
            + options.sampler_weight * means["fooling"],
            "sampler": means["discrimination"],
        }

    def _told(self, means: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """S's logits ``[B]`` of labelled and of unlabelled examples, from mu ``[2 B, Z]``."""
        labelled, unlabelled = tf.split(self.sampler(means)[:, 0], 2)
        return labelled, unlabelled

    # What it can do

    def labelled_logits(self, examples: tf.Tensor) -> tf.Tensor:
        """Of S(mu(x, v)) = "labelled" ``[n]``; see ``abilities.TellsLabelled``."""
        return self.sampler(self._posterior(examples).mean)[:, 0]

    def encode(self, examples: tf.Tensor, eps: tf.Tensor) -> tf.Tensor:
        """Draws from q(z | x, v), v what C takes x for; see ``abilities.Encodes``."""
        floats = self.space.to_float(tf.convert_to_tensor(examples))
        return self._posterior(floats).sample(eps)

    def augment(self, examples: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """G(z, y) of z ~ q(z | x, v)."""
        shape = [tf.shape(examples)[0], self.latent_dim]
        eps = tf.random.stateless_normal(shape, seed, alg="philox")
        return self.decode(self.encode(examples, eps), labels)

    def _posterior(self, examples: tf.Tensor) -> Posterior:
        posterior: Posterior = self.encoder(examples, labels=self.guessed(examples))
        return posterior
