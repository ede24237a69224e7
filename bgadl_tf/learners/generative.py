"""What learners share that have a generator: its options, its optimizer, and what it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.further import Further
from bgadl_tf.learners.fused_optimizers import Adam
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.learner import ProbationLearner
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.generator import Generator


@dataclass(frozen=True, kw_only=True)
class GenerativeOptions(ProbationOptions):
    """The generative networks, and what becomes of what they make.

    Args:
        latent_dim: Z.
        width: Multiplies the channel and unit counts of the generative networks.
        generative_learning_rate: Of Adam for every network but the classifier. The paper's 2e-4
            suits runs of a hundred thousand steps.
        generative_beta_1: Of the same Adam.
        keep_generated: Freeze the x' of every round's query and add them to the training set, where
            they are examples like labelled ones; nothing can be on probation then, nor be
            pseudo-labelled. What E and G make afresh of every example at every step is there in
            either case, and measured better alone: the first rounds' x' are the worst.
        co_evolve: Keep the generative networks from round to round, as the paper does; if not,
            they start anew in every round, as in the released code.
    """

    latent_dim: int = 100
    width: float = 1.0
    generative_learning_rate: float = 1e-3
    generative_beta_1: float = 0.5
    keep_generated: bool = False
    co_evolve: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "generative_learning_rate"):
            self.require(getattr(self, name) > 0, name, "positive")
        self.require(0 <= self.generative_beta_1 < 1, "generative_beta_1", "in [0, 1)")
        for name, off in (("agreement", 0), ("gradient_similarity", "none"), ("pseudo_weight", 0)):
            self.require(
                not self.keep_generated or getattr(self, name) == off,
                name,
                f"{off} with keep_generated=true, which takes generated examples for labelled ones",
            )


class GenerativeLearner(ProbationLearner):
    """A classifier and a label-conditioned generator.

    Args:
        classifier: C.
        generator: G.
        options: The learner's settings.
    """

    options_type: ClassVar[type[ProbationOptions]] = GenerativeOptions
    options: GenerativeOptions

    def __init__(
        self,
        classifier: Classifier,
        generator: Generator,
        options: Options | None = None,
        **kw: Any,
    ) -> None:
        super().__init__(classifier, options, **kw)
        self.generator = generator

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"classifier": self.classifier, "generator": self.generator}

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

    def unpack(self, data: Any) -> Batch:
        """Where the pool is used and a batch brings none of it (``fit``), the labelled stand in."""
        batch = super().unpack(data)
        if self.uses_unlabelled and batch.unlabelled is not None:
            return batch
        return batch._replace(unlabelled=batch.examples, unlabelled_views=batch.views)

    def prepared(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """See ``ProbationLearner``; labelled examples that stand in for the pool stay, too."""
        changed = super().prepared(batch, seed)
        if self.uses_unlabelled or not self.transforms_are_on_probation:
            return changed
        return changed._replace(unlabelled=batch.unlabelled)

    def autoencoded(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """What a VAE reconstructs, and under which labels.

        The labelled examples x under y and, if the pool is used, unlabelled ones under the label
        that the deterministic classifier gives them.
        """
        if not self.uses_unlabelled:
            return batch.examples, batch.labels
        inputs = tf.concat([batch.examples, batch.unlabelled], 0)
        return inputs, tf.concat([batch.labels, self.guessed(batch.unlabelled)], 0)

    def guessed(self, examples: tf.Tensor) -> tf.Tensor:
        """Labels ``[B]`` that the deterministic classifier gives examples ``[B, *shape]``."""
        return tf.argmax(self.classifier(examples), axis=1, output_type=tf.int32)

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


def generator_of(classifier: Classifier, options: Options) -> Generator:
    """G for the examples and classes of ``classifier``."""
    if not isinstance(options, GenerativeOptions):
        raise ConfigError(
            f"options are {type(options).__name__}; a generative learner needs its options_type"
        )
    return Generator(
        classifier.example_shape,
        classifier.classes,
        options.latent_dim,
        options.width,
        dtype=classifier.dtype_policy,
    )
