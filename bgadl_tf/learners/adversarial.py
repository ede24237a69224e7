"""What the generative learners share: a generator G and a discriminator D beside the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.further import Further
from bgadl_tf.learners.fused_optimizers import Adam
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.models import groups, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.generator import Generator


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(Options):
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
        class_weight: Weight of being classified as y in G's objective.
        generated_weight: Weight of generated images, all groups together, against real ones in
            C's objective.
        warmup_steps: Steps of G before its images reach C; over as many again their weight grows
            from 0 to ``generated_weight``. What a new G makes is noise under a label. None for 500
            of images, 100 of vectors, whose networks are shallow.
        keep_generated: Freeze the x' of every round and add them to the training set. If not, the
            x' of every labelled image is drawn afresh at every step from E and G as they are by
            then, which measured better: the first rounds' x' are the worst.
        co_evolve: Keep the generative networks from round to round, as the paper does; if not,
            they start anew in every round, as in the released code.
    """

    unlabelled: bool = True
    latent_dim: int = 100
    width: float = 1.0
    generative_learning_rate: float = 1e-3
    generative_beta_1: float = 0.5
    adversarial_weight: float = 1.0
    class_weight: float = 1.0
    generated_weight: float = 1.0
    warmup_steps: int | None = None
    keep_generated: bool = False
    co_evolve: bool = True

    by_space: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "images": {"warmup_steps": 500},
        "features": {"warmup_steps": 100},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "generative_learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"--option {name} is {getattr(self, name)}; must be positive")
        for name in ("adversarial_weight", "class_weight", "generated_weight", "warmup_steps"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ConfigError(f"--option {name} is {value}; must be at least 0")


class AdversarialLearner(Learner):
    """A classifier, a label-conditioned generator and a discriminator.

    Args:
        classifier: C.
        generator: G.
        discriminator: D.
        options: The learner's settings.
    """

    options_type: ClassVar[type[Options]] = AdversarialOptions
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
    def networks(self) -> dict[str, keras.Model]:
        return {
            "classifier": self.classifier,
            "generator": self.generator,
            "discriminator": self.discriminator,
        }

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        generative = tuple(name for name in self.networks if name != "classifier")
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

    def generated_weight(self) -> tf.Tensor:
        """Weight of generated images in C's objective at this step, scalar."""
        step = tf.cast(self.optimizers["generator"].iterations, tf.float32)
        warmup = max(1, self.options.warmup_steps or 0)
        return self.options.generated_weight * tf.clip_by_value((step - warmup) / warmup, 0.0, 1.0)

    def unpack(self, data: Any) -> Batch:
        """Where the pool is used and a batch brings none of it (``fit``), the labelled stand in."""
        batch = super().unpack(data)
        if self.uses_unlabelled and batch.unlabelled is not None:
            return batch
        return batch._replace(unlabelled=batch.examples, unlabelled_views=batch.views)

    def classify(self, examples: Mapping[str, tf.Tensor], seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Log-probabilities ``[B, C]`` of C on each group; every example has its own mask."""
        seeds = [noise.fold(seed, number) for number in range(len(examples))]
        log_probs = self.classifier.train_on_groups([*examples.values()], seeds)
        return dict(zip(examples, log_probs, strict=True))

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
