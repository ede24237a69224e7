"""What the generative learners share: a generator G and a discriminator D beside the classifier."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.learners import emphasis
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.conditional import apply_if, gradients_if
from bgadl_tf.learners.further import Further
from bgadl_tf.learners.fused_optimizers import Adam
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.learners.probation.warmup import WarmUpLearner, WarmUpOptions
from bgadl_tf.models import groups
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.generator import Generator


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(WarmUpOptions):
    """What the generative learners have in common.

    Args:
        unlabelled: D takes unlabelled images of the pool for real ones, and an encoder learns from
            them under the label that C gives them. False is the paper's setting; but networks that
            see a few hundred images only repeat them, and C gains nothing from repetitions.
        latent_dim: Z.
        width: Multiplies the channel and unit counts of the generative networks.
        generative_learning_rate: Of Adam for every network but the classifier. The paper's 2e-4
            suits runs of a hundred thousand steps.
        generative_beta_1: Of the same Adam.
        adversarial_weight: Weight of fooling D in G's objective.
        class_weight: Weight of being classified as y in G's objective. With 0 what G generates
            reaches C detached, and no backward pass goes through C into G.
        generator_every: G, and E, take a step only at every so many steps of C and D. Schedules of
            unequal numbers of updates go back to Goodfellow et al. 2014, algorithm 1.
        keep_generated: Freeze the x' of every round and add them to the training set. If not, the
            x' of every labelled image is drawn afresh at every step from E and G as they are by
            then, which measured better: the first rounds' x' are the worst.
        co_evolve: Keep the generative networks from round to round, as the paper does; if not,
            they start anew in every round, as in the released code.
        generate_for: Of which labelled examples what is generated counts more in the class terms
            of C and G: ``uniform``, as in the paper; ``balanced``, every class as much; or
            ``informative``, in proportion to the score that each was asked for with. See
            ``emphasis``.
    """

    unlabelled: bool = True
    latent_dim: int = 100
    width: float = 1.0
    generative_learning_rate: float = 1e-3
    generative_beta_1: float = 0.5
    adversarial_weight: float = 1.0
    class_weight: float = 1.0
    generator_every: int = 1
    keep_generated: bool = False
    co_evolve: bool = True
    generate_for: str = "uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "generative_learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"--option {name} is {getattr(self, name)}; must be positive")
        for name in ("adversarial_weight", "class_weight"):
            self.require(getattr(self, name) >= 0, name, "at least 0")
        self.require(self.generator_every >= 1, "generator_every", "at least 1")
        self.require(
            self.unlabelled or not self.pseudo_weight, "pseudo_weight", "0 with unlabelled=false"
        )
        known = self.generate_for in emphasis.KINDS
        self.require(known, "generate_for", f"one of {', '.join(emphasis.KINDS)}")


class AdversarialLearner(WarmUpLearner):
    """A classifier, a label-conditioned generator and a discriminator.

    Args:
        classifier: C.
        generator: G.
        discriminator: D.
        options: The learner's settings.
    """

    options_type: ClassVar[type[ProbationOptions]] = AdversarialOptions
    options: AdversarialOptions

    def __init__(
        self,
        classifier: Classifier,
        generator: Generator,
        discriminator: Discriminator,
        options: Options | None = None,
        **kw: Any,
    ) -> None:
        super().__init__(classifier, options, **kw)
        self.generator, self.discriminator = generator, discriminator

    @classmethod
    def create(cls, classifier: Classifier, options: Options) -> Self:
        return cls(classifier, **generative_networks(classifier, options), options=options)

    @property
    def uses_unlabelled(self) -> bool:
        return self.options.unlabelled

    @property
    def uses_emphasis(self) -> bool:
        return self.options.generate_for != "uniform"

    def emphasis(self, labels: Labels, scores: Floats) -> Floats:
        return emphasis.emphasis(self.options.generate_for, labels, scores)

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {
            "classifier": self.classifier,
            "generator": self.generator,
            "discriminator": self.discriminator,
        }

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        generative = tuple(name for name in self.networks if name != "classifier")
        if self.looks_at_evidence:
            generative += ("evidence",)
        return super().resets(warm_start) + (() if self.options.co_evolve else generative)

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        options = self.options
        adam = {
            name: Adam(
                options.generative_learning_rate, beta_1=options.generative_beta_1, beta_2=0.999
            )
            for name in self.networks
            if name != "classifier"
        }
        return {**super().default_optimizers(), **adam}

    def generator_is_due(self) -> tf.Tensor:
        """Whether G and E take this step, scalar bool; read before C has taken it."""
        return self.optimizers[self.main].iterations % self.options.generator_every == 0

    def gradients(
        self, tape: tf.GradientTape, objectives: Mapping[str, tf.Tensor]
    ) -> dict[str, list[tf.Tensor]]:
        rare = {n: value for n, value in objectives.items() if self._steps_rarely(n)}
        if not rare:
            return super().gradients(tape, objectives)
        often = {n: value for n, value in objectives.items() if n not in rare}
        taken = functools.partial(super().gradients, tape, rare)
        variables = {name: self.trained_variables(name) for name in rare}
        found = gradients_if(self.generator_is_due(), taken, variables)
        return {**super().gradients(tape, often), **found}

    def apply(self, gradients: Mapping[str, list[tf.Tensor]]) -> None:
        rare = {n: values for n, values in gradients.items() if self._steps_rarely(n)}
        if rare:
            apply_if(self.generator_is_due, super().apply, rare)
        super().apply({n: values for n, values in gradients.items() if n not in rare})

    def _steps_rarely(self, network: str) -> bool:
        generative = network in self.networks and network not in ("classifier", "discriminator")
        return self.options.generator_every > 1 and generative

    def for_classifier(self, generated: tf.Tensor) -> tf.Tensor:
        """What C is given of generated examples: detached where G is not to learn from C."""
        return generated if self.options.class_weight else tf.stop_gradient(generated)

    def unpack(self, data: Any) -> Batch:
        """Where the pool is used and a batch brings none of it (``fit``), the labelled stand in."""
        batch = super().unpack(data)
        if self.uses_unlabelled and batch.unlabelled is not None:
            return batch
        return batch._replace(unlabelled=batch.examples, unlabelled_views=batch.views)

    def discriminate(self, examples: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Logits ``[B]`` of D on each group, of one size; BatchNorm sees each by itself."""
        together = tf.concat([*examples.values()], 0)
        logits = self.discriminator(together, training=True, groups=(1,) * len(examples))
        return groups.named(logits, examples)

    def further(self, asked: Batch, seed: tuple[int, int]) -> Further | None:
        """x' of every x*, and how far from it: the L2 norm over pixels in [0, 1] or features."""
        made = self.augment(asked.examples, asked.labels, seed).numpy()
        new, old = (self.space.to_float(tf.constant(part)) for part in (made, asked.examples))
        axes = [*range(1, new.shape.rank)]
        distance: Floats = tf.sqrt(tf.reduce_sum(tf.square(new - old), axes)).numpy()
        return Further(
            made,
            asked.labels,
            joins=self.options.keep_generated,
            facts={"reconstruction_error": distance},
        )

    def augment(self, examples: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A generated example for each labelled one: here G(u, y), u ~ N(0, I), not tied to it.

        Args:
            examples: ``[B, *shape]`` as they are stored.
            labels: ``[B]``.
            seed: ``[2]``.

        Returns:
            The same shape and type.
        """
        return self.generate(labels, seed)

    def generate(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """New examples of the labels ``[B]``: G(u, y) with u from the prior, N(0, I)."""
        labels = tf.convert_to_tensor(labels)
        latent = tf.random.stateless_normal(
            [tf.shape(labels)[0], self.latent_dim], seed, alg="philox"
        )
        return self.decode(self.from_prior(latent, labels), labels)

    def from_prior(self, noise: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Draws from the prior of the latents of the labels ``[B]``, of normal noise ``[B, Z]``."""
        return noise

    @property
    def latent_dim(self) -> int:
        """Z."""
        return self.generator.latent_dim

    def decode(self, latent: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """G's examples, as they are stored, of latents ``[B, Z]`` and labels ``[B]``."""
        return self.space.from_float(self.generator((latent, labels)))


def generative_networks(classifier: Classifier, options: Options) -> dict[str, keras.Model]:
    """G and D for the examples and classes of ``classifier``."""
    if not isinstance(options, AdversarialOptions):
        raise ConfigError(
            f"options are {type(options).__name__}; a generative learner needs its options_type"
        )
    policy = classifier.dtype_policy
    shape = classifier.example_shape
    return {
        "generator": Generator(
            shape, classifier.classes, options.latent_dim, options.width, dtype=policy
        ),
        "discriminator": Discriminator(shape, options.width, dtype=policy),
    }
