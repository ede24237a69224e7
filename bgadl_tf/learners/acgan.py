"""Bayesian data augmentation: C learns from an ACGAN that is trained beside it.

Tran et al., "A Bayesian Data Augmentation Approach for Learning Deep Models" (NIPS 2017). The
generated images come from noise and labels alone; they are not tied to the queried images::

    G:  -log D(G(u, y))  - log C(y | G(u, y))
    D:  -log D(x)  - log(1 - D(G(u, y)))
    C:  -log C(y | x)  - w log C(y | G(u, y))

Two generated images stand beside each real one, as many as in ``vaeacgan``, so that the arms
differ in what is generated and not in how much; their mean is what counts. Where the pool is used
(``AdversarialOptions.unlabelled``), the x that D takes for real are images of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import tensorflow as tf

from bgadl_tf.learners.adversarial import AdversarialLearner, AdversarialOptions
from bgadl_tf.learners.emphasis import emphasised
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.probation.groups import Factors, counting, forms_of
from bgadl_tf.learners.probation.options import ProbationOptions
from bgadl_tf.models import noise
from bgadl_tf.models.groups import named
from bgadl_tf.models.losses import (
    cross_entropy_fake,
    cross_entropy_real,
    global_mean,
)


@dataclass(frozen=True, kw_only=True)
class ACGANOptions(AdversarialOptions):
    """Settings of ``acgan``.

    Args:
        generated_per_real: Generated images beside each real one, whose mean has
            ``generated_weight``. BDA's own ten (Tran et al. 2017, section 4), each counting as much
            as one of two does, are 10 with a weight of 5.
    """

    generated_per_real: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.generated_per_real >= 1, "generated_per_real", "at least 1")


@LEARNERS.register("acgan")
@keras.saving.register_keras_serializable("bgadl_tf")
class ACGAN(AdversarialLearner):
    """Classifier, generator and discriminator, each descending its own objective."""

    options_type: ClassVar[type[ProbationOptions]] = ACGANOptions
    options: ACGANOptions

    terms = (
        "classification", "classification_generated", "discriminator_real",
        "discriminator_generated", "generator_adversarial",
    )  # fmt: skip

    further_groups = ("generated",)

    @property
    def further_per_real(self) -> int:
        return self.options.generated_per_real

    def group_factors(self) -> Factors:
        return {**super().group_factors(), "generated": self.generated_weight()}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed, options = self.step_seed(), self.options
        batch = self.prepared(self.unpack(data), seed)
        labels, count = batch.labels, options.generated_per_real
        with tf.GradientTape(persistent=True) as tape:
            latents = [
                noise.normal(noise.fold(seed, *salts), tf.shape(labels)[0], self.latent_dim)
                for salts in _salts(count)
            ]
            inputs = tf.concat(latents, 0), tf.tile(labels, [count])
            made = self.generator(inputs, training=True, groups=(1,) * count)
            generated = named(made, [f"generated_{number}" for number in range(count)])
            # Apart from the real ones, since G's gradient comes back through the generated alone.
            beside = self.beside(batch)
            log_probs = self.classify({**forms_of(batch), **beside}, noise.fold(seed, 3))
            seen = {group: self.for_classifier(made) for group, made in generated.items()}
            log_probs |= self.classify(seen, noise.fold(seed, 4))
            c = self.terms_of_groups(log_probs, batch)
            c |= {group: emphasised(c[group], batch) for group in generated}
            agreed = self.agree({**beside, **seen}, labels, noise.fold(seed, 5))
            d = self.discriminate({"real": batch.unlabelled})
            d |= self.discriminate(generated)
            classified = mean_of({group: c[group] for group in generated})
            fooled = mean_of({group: cross_entropy_real(d[group]) for group in generated})
            exposed = mean_of({group: cross_entropy_fake(d[group]) for group in generated})
            real = cross_entropy_real(d["real"])
            every = counting(c, agreed)
            counted = {group: term for group, term in every.items() if group not in generated}
            counted["generated"] = mean_of({group: every[group] for group in generated})
            factors = self.group_factors()
            loss, parts = self.per_example(counted, factors), self.parts(counted, factors)
            objectives = {
                "generator": options.adversarial_weight * fooled
                + options.class_weight * classified,
                "discriminator": real + exposed,
                "classifier": loss,
            }
            objectives = {name: global_mean(value) for name, value in objectives.items()}
        if agreed:
            agreed["generated"] = mean_of({group: agreed[group] for group in generated})
        warmup = self.warmup()
        shares = self.descend(tape, objectives, parts)
        self.finish_step(agreed, shares, batch, seed, warmup=warmup)
        self.look_at(real, {group: cross_entropy_fake(d[group]) for group in generated})
        terms = {
            **{f"classification_{group}": c[group] for group in beside},
            "classification": c["real"], "classification_generated": classified,
            "discriminator_real": real, "discriminator_generated": exposed,
            "generator_adversarial": fooled,
        }  # fmt: skip
        return self.track(terms, loss, log_probs["real"], batch)


def _salts(count: int) -> list[tuple[int, ...]]:
    """Of the latents of each generated image of a real one; others of a step begin at 3."""
    return [(1,), (2,), *((2, further) for further in range(2, count))][:count]


def mean_of(groups: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Mean over the generated examples of each real one, ``[B]``, from those of each group."""
    return tf.add_n([*groups.values()]) * (1 / len(groups))
