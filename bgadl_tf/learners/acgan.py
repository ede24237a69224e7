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

import keras
import tensorflow as tf

from bgadl_tf.learners.adversarial import AdversarialLearner
from bgadl_tf.learners.base import LEARNERS
from bgadl_tf.models import noise
from bgadl_tf.models.groups import named
from bgadl_tf.models.losses import global_mean, taken_for_fake, taken_for_real


@LEARNERS.register("acgan")
@keras.saving.register_keras_serializable("bgadl_tf")
class ACGAN(AdversarialLearner):
    """Classifier, generator and discriminator, each descending its own objective."""

    terms = (
        "classification", "classification_generated", "discriminator_real",
        "discriminator_generated", "generator_adversarial",
    )  # fmt: skip

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        images, labels = self.unpack(data)
        seed, options = self.step_seed(), self.options
        with tf.GradientTape(persistent=True) as tape:
            latents = [
                noise.normal(noise.fold(seed, n), tf.shape(labels)[0], options.latent_dim)
                for n in (1, 2)
            ]
            inputs = tf.concat(latents, 0), tf.tile(labels, [2])
            made = self.generator(inputs, training=True, groups=(1, 1))
            generated = named(made, ("first", "second"))
            # Apart from the real ones, since G's gradient comes back through the generated alone.
            c = self.classification({"real": images}, labels, noise.fold(seed, 3))
            c |= self.classification(generated, labels, noise.fold(seed, 4))
            d = self.discrimination({"real": self.real_images(data)})
            d |= self.discrimination(generated)
            classified = 0.5 * (c["first"] + c["second"])
            fooled = 0.5 * (taken_for_real(d["first"]) + taken_for_real(d["second"]))
            exposed = 0.5 * (taken_for_fake(d["first"]) + taken_for_fake(d["second"]))
            real = taken_for_real(d["real"])
            objectives = {
                "generator": options.adversarial_weight * fooled
                + options.class_weight * classified,
                "discriminator": real + exposed,
                "classifier": c["real"] + self.generated_weight() * classified,
            }
            objectives = {name: global_mean(value) for name, value in objectives.items()}
        self.descend(tape, objectives)
        return self.track({
            "classification": c["real"], "classification_generated": classified,
            "discriminator_real": real, "discriminator_generated": exposed,
            "generator_adversarial": fooled,
        })  # fmt: skip
