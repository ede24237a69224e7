"""Bayesian data augmentation: C learns from an ACGAN that is trained beside it.

Tran et al., "A Bayesian Data Augmentation Approach for Learning Deep Models" (NIPS 2017). The
generated images come from noise and labels alone; they are not tied to the queried images::

    G:  -log D(G(u, y))  - log C(y | G(u, y))
    D:  -log D(x)  - log(1 - D(G(u, y)))
    C:  -log C(y | x)  - w log C(y | G(u, y))

Two generated images stand beside each real one, as many as in ``vaeacgan``, so that the arms
differ in what is generated and not in how much. Where the pool is used
(``AdversarialOptions.unlabelled``), the x that D takes for real are images of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.learners.adversarial import AdversarialLearner
from bgadl_tf.learners.emphasis import emphasised
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.probation.groups import Factors, counting, forms_of
from bgadl_tf.models import noise
from bgadl_tf.models.groups import named
from bgadl_tf.models.losses import (
    cross_entropy_fake,
    cross_entropy_real,
    global_mean,
)


@LEARNERS.register("acgan")
@keras.saving.register_keras_serializable("bgadl_tf")
class ACGAN(AdversarialLearner):
    """Classifier, generator and discriminator, each descending its own objective."""

    terms = (
        "classification", "classification_generated", "discriminator_real",
        "discriminator_generated", "generator_adversarial",
    )  # fmt: skip

    further_groups = ("generated",)

    def group_factors(self) -> Factors:
        return {**super().group_factors(), "generated": self.generated_weight()}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        seed, options = self.step_seed(), self.options
        batch = self.prepared(self.unpack(data), seed)
        labels = batch.labels
        with tf.GradientTape(persistent=True) as tape:
            latents = [
                noise.normal(noise.fold(seed, n), tf.shape(labels)[0], self.latent_dim)
                for n in (1, 2)
            ]
            inputs = tf.concat(latents, 0), tf.tile(labels, [2])
            made = self.generator(inputs, training=True, groups=(1, 1))
            generated = named(made, ("first", "second"))
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
            classified = mean_of_both(c)
            fooled = 0.5 * (cross_entropy_real(d["first"]) + cross_entropy_real(d["second"]))
            exposed = 0.5 * (cross_entropy_fake(d["first"]) + cross_entropy_fake(d["second"]))
            real = cross_entropy_real(d["real"])
            counted = {g: term for g, term in counting(c, agreed).items() if g not in generated}
            counted["generated"] = mean_of_both(counting(c, agreed))
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
            agreed["generated"] = mean_of_both(agreed)
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


def mean_of_both(values: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Mean over the two generated examples of each real one, ``[B]``."""
    return 0.5 * (values["first"] + values["second"])
