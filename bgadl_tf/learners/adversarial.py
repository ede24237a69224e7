"""What the adversarial learners share: a discriminator D beside generator and classifier."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import keras
import tensorflow as tf

from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.learners import emphasis
from bgadl_tf.learners.conditional import apply_if, gradients_if
from bgadl_tf.learners.generative import GenerativeLearner, GenerativeOptions, generator_of
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.learners.probation.warmup import WarmUpLearner, WarmUpOptions
from bgadl_tf.models import groups
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.generator import Generator


@dataclass(frozen=True, kw_only=True)
class AdversarialOptions(GenerativeOptions, WarmUpOptions):
    """What the learners with a discriminator have in common.

    Args:
        unlabelled: D takes unlabelled images of the pool for real ones, and an encoder learns from
            them under the label that C gives them. False is the paper's setting; but networks that
            see a few hundred images only repeat them, and C gains nothing from repetitions.
        adversarial_weight: Weight of fooling D in G's objective.
        class_weight: Weight of being classified as y in G's objective. With 0 what G generates
            reaches C detached, and no backward pass goes through C into G.
        generator_every: G, and E, take a step only at every so many steps of C and D. Schedules of
            unequal numbers of updates go back to Goodfellow et al. 2014, algorithm 1.
        generate_for: Of which labelled examples what is generated counts more in the class terms
            of C and G: ``uniform``, as in the paper; ``balanced``, every class as much; or
            ``informative``, in proportion to the score that each was asked for with, which says
            nothing where examples are asked for at random. See ``emphasis``.
    """

    unlabelled: bool = True
    adversarial_weight: float = 1.0
    class_weight: float = 1.0
    generator_every: int = 1
    generate_for: str = "uniform"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("adversarial_weight", "class_weight"):
            self.require(getattr(self, name) >= 0, name, "at least 0")
        self.require(self.generator_every >= 1, "generator_every", "at least 1")
        self.require(
            self.unlabelled or not self.pseudo_weight, "pseudo_weight", "0 with unlabelled=false"
        )
        self.require(
            not (self.keep_generated and self.warmup == "evidence"),
            "warmup",
            "steps with keep_generated=true, which takes generated examples for labelled ones",
        )
        known = self.generate_for in emphasis.KINDS
        self.require(known, "generate_for", f"one of {', '.join(emphasis.KINDS)}")


class AdversarialLearner(GenerativeLearner, WarmUpLearner):
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
        super().__init__(classifier, generator, options, **kw)
        self.discriminator = discriminator

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
        return {**super().networks, "discriminator": self.discriminator}

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        anew = self.looks_at_evidence and not self.options.co_evolve
        return super().resets(warm_start) + (("evidence",) if anew else ())

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

    def discriminate(self, examples: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Logits ``[B]`` of D on each group, of one size; BatchNorm sees each by itself."""
        together = tf.concat([*examples.values()], 0)
        logits = self.discriminator(together, training=True, groups=(1,) * len(examples))
        return groups.named(logits, examples)


def generative_networks(classifier: Classifier, options: Options) -> dict[str, keras.Model]:
    """G and D for the examples and classes of ``classifier``."""
    generator = generator_of(classifier, options)
    discriminator = Discriminator(
        classifier.example_shape, generator.width, dtype=classifier.dtype_policy
    )
    return {"generator": generator, "discriminator": discriminator}
