"""What the generative learners share: a generator G and a discriminator D beside the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.base import Learner, Options, to_float, to_uint8
from bgadl_tf.learners.fused_optimizers import Adam
from bgadl_tf.models import groups, losses, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.generator import Generator


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(Options):
    """Attributes:
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
        from 0 to ``generated_weight``. What a new G makes is noise under a label.
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
    warmup_steps: int = 500
    keep_generated: bool = False
    co_evolve: bool = True

    def __post_init__(self) -> None:
        for name in ("latent_dim", "width", "generative_learning_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"--option {name} is {getattr(self, name)}; must be positive")
        for name in ("adversarial_weight", "class_weight", "generated_weight", "warmup_steps"):
            if getattr(self, name) < 0:
                raise ConfigError(f"--option {name} is {getattr(self, name)}; must be at least 0")


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
    def around(cls, classifier: Classifier, options: Options) -> Self:
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

    def fresh_each_round(self, warm_start: bool) -> tuple[str, ...]:
        generative = tuple(name for name in self.networks if name != "classifier")
        return super().fresh_each_round(warm_start) + (() if self.options.co_evolve else generative)

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
        warmup = max(1, self.options.warmup_steps)
        return self.options.generated_weight * tf.clip_by_value((step - warmup) / warmup, 0.0, 1.0)

    def real_images(self, data: tuple[tf.Tensor, ...]) -> tf.Tensor:
        """What D takes for real, ``[B, H, W, D]``: images of the pool, or the labelled ones.

        A batch without a third part (``fit`` on labelled data, an empty pool) has no others.
        """
        return to_float(data[2] if self.uses_unlabelled and len(data) > 2 else data[0])

    def classification(
        self, images: Mapping[str, tf.Tensor], labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Cross-entropy ``[B]`` of C on each group of images; every example has its own mask."""
        seeds = [noise.fold(seed, number) for number in range(len(images))]
        return {
            group: losses.cross_entropy(log_probs, labels)
            for group, log_probs in zip(
                images, self.classifier.each(list(images.values()), seeds), strict=True
            )
        }

    def discrimination(self, images: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Logits ``[B]`` of D on each group, of one size; BatchNorm sees each by itself."""
        together = tf.concat(list(images.values()), 0)
        logits = self.discriminator(together, training=True, groups=(1,) * len(images))
        return groups.named(logits, images)

    @property
    def keeps_generated(self) -> bool:
        """Whether the images made in each round join the training set."""
        return self.options.keep_generated

    def augment(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A generated image for each labelled one: here G(u, y), u ~ N(0, I), not tied to it.

        Args:
            images: ``uint8 [B, H, W, D]``.
            labels: ``[B]``.
            seed: ``[2]``.

        Returns:
            ``uint8 [B, H, W, D]``.
        """
        return self.generate(labels, seed)

    def generate(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """New images of the labels ``[B]``: G(u, y) with u ~ N(0, I), ``uint8 [B, H, W, D]``."""
        labels = tf.convert_to_tensor(labels)
        latent = tf.random.stateless_normal(
            [tf.shape(labels)[0], self.options.latent_dim], seed, alg="philox"
        )
        return self.decode(latent, labels)

    @property
    def latent_dim(self) -> int:
        """Z."""
        return self.options.latent_dim

    def decode(self, latent: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """G's images ``uint8 [B, H, W, D]`` of latents ``[B, Z]`` and labels ``[B]``."""
        return to_uint8(self.generator((latent, labels)))


def generative_networks(classifier: Classifier, options: Options) -> dict[str, keras.Model]:
    """G and D for the images and classes of ``classifier``."""
    assert isinstance(options, AdversarialOptions)
    policy = classifier.dtype_policy
    shape = classifier.image_shape
    return {
        "generator": Generator(
            shape, classifier.classes, options.latent_dim, options.width, dtype=policy
        ),
        "discriminator": Discriminator(shape, options.width, dtype=policy),
    }
