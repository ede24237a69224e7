"""Pseudo-labels alone: C learns from labelled examples, and from the pool under its own labels.

Lee 2013, "Pseudo-Label", in the form of Sohn et al. 2020, "FixMatch", with a gate that held-out
labels calibrate: see ``pseudo_labels``. No generation; the ablation of the learners that have both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS, weighted
from bgadl_tf.learners.pseudo_labels.folds import folds_of
from bgadl_tf.learners.pseudo_labels.learner import PseudoLabelling
from bgadl_tf.learners.pseudo_labels.options import PseudoLabelOptions
from bgadl_tf.models import losses, noise


@dataclass(frozen=True, kw_only=True)
class PseudoOptions(PseudoLabelOptions):
    """The same options with a weight, and with transforms: the strong views."""

    pseudo_weight: float = 1.0
    transforms: str = "standard"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(self.pseudo_weight > 0, "pseudo_weight", "positive; use learner plain")


@LEARNERS.register("pseudo")
@keras.saving.register_keras_serializable("bgadl_tf")
class Pseudo(PseudoLabelling):
    """Supervised learning and gated pseudo-labels."""

    options_type = PseudoOptions
    options: PseudoOptions
    terms = ("classification", "classification_pseudo")

    @property
    def uses_unlabelled(self) -> bool:
        return True

    def unpack(self, data: Any) -> Batch:
        """Where a batch brings nothing of the pool (``fit``), the labelled stand in."""
        batch = super().unpack(data)
        if batch.unlabelled is not None:
            return batch
        return batch._replace(unlabelled=batch.examples, unlabelled_views=batch.views)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        given, seed = self.unpack(data), self.step_seed()
        guess = self.guess(given, seed)
        batch = self.transformed(given, seed)
        with tf.GradientTape() as tape:
            seeds = noise.fold(seed, 1), noise.fold(seed, 2)
            log_probs, of_pool = self.classifier.train_on_groups(
                [batch.examples, batch.unlabelled], seeds
            )
            real = weighted(losses.cross_entropy(log_probs, batch.labels), batch)
            pseudo = guess.weights * losses.cross_entropy(of_pool, guess.labels)
            total = real + self.options.pseudo_weight * pseudo
            loss = losses.global_mean(total)
        self.descend(tape, {"classifier": loss})
        self.cross_fit(batch, folds_of(given.examples, self.options.pseudo_folds), seed)
        terms = {"classification": real, "classification_pseudo": pseudo}
        return self.track(terms, total, log_probs, batch)
