"""What learners share that let C learn from the pool under labels of its own.

The pool's examples of which all masks agree are the other end of BALD. Of an unlabelled u, what C
says of u as it is (the weak view) becomes the label of a transformed u (the strong view; Sohn et
al. 2020, "FixMatch"), if C is sure enough. How sure that must be is not a constant: held-out
predictions of labelled examples say it (``gate``, ``cross_fitted``)::

    C:  ... - w 1[max p(u) >= t] log C(argmax p(u) | T(u))
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.learner import Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.pseudo_labels.cross_fitted import CrossFitted
from bgadl_tf.learners.pseudo_labels.folds import folds_of
from bgadl_tf.learners.pseudo_labels.gate import Gate
from bgadl_tf.learners.pseudo_labels.options import PseudoLabelOptions
from bgadl_tf.models import noise
from bgadl_tf.models.classifiers.base import Classifier

CROSS_FITTED, GATE = "cross_fitted", "gate"

_PASSES, _MASKS = (110, 0), (110, 1)
"""Salts of the teacher's masks and of the copies'."""


class Guess(NamedTuple):
    """What C makes of unlabelled examples.

    Fields:
        labels: ``[B]``.
        weights: ``[B]``, 1 where the gate lets the label through, else 0; times the ramp.
    """

    labels: tf.Tensor
    weights: tf.Tensor


class PseudoLabelling(Learner):
    """A learner whose C may learn from pseudo-labels.

    Args:
        classifier: C.
        options: The learner's settings.
    """

    options: PseudoLabelOptions

    def __init__(self, classifier: Classifier, options: Options | None = None, **kw: Any) -> None:
        super().__init__(classifier, options, **kw)
        if self.pseudo_labels:
            self.cross_fitted = CrossFitted.of(classifier, self.options.pseudo_folds)
            self.gate = Gate(
                self.options.pseudo_precision,
                self.options.pseudo_caution,
                self.options.pseudo_decay,
            )

    @property
    def pseudo_labels(self) -> bool:
        """Whether there are any."""
        return self.options.pseudo_weight > 0

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        own = {CROSS_FITTED: self.cross_fitted, GATE: self.gate} if self.pseudo_labels else {}
        return {**super().saved_networks, **own}

    @property
    def followers(self) -> dict[str, str]:
        return {CROSS_FITTED: "classifier"} if self.pseudo_labels else {}

    def trained_variables(self, name: str) -> list[keras.Variable]:
        if name != CROSS_FITTED:
            return super().trained_variables(name)
        copies = self.cross_fitted.copies
        if self.trains_trunk:
            return [variable for copy in copies for variable in copy.trainable_variables]
        return [variable for copy in copies for variable in copy.head.trainable_variables]

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        own = (CROSS_FITTED, GATE) if self.pseudo_labels and not warm_start else ()
        return (*super().resets(warm_start), *own)

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        if self.pseudo_labels:
            self.cross_fitted.begin_as(self.classifier)

    def guess(self, batch: Batch, seed: tf.Tensor) -> Guess:
        """Labels for the unlabelled examples of a batch that is not transformed.

        The gate sees how the labelled ones are predicted by copies of C that do not know them.
        """
        folds = folds_of(batch.examples, self.options.pseudo_folds)
        masks = noise.fold(seed, *_PASSES)

        def predict(classifier: Classifier) -> tf.Tensor:
            return self._teach(classifier, batch.examples, masks)

        held_out = self.cross_fitted.held_out(predict, folds)
        self.gate.see(
            tf.reduce_max(held_out, axis=1),
            tf.equal(tf.argmax(held_out, axis=1, output_type=tf.int32), batch.labels),
        )
        probs = self._teach(self.classifier, batch.unlabelled, masks)
        labelled = batch.labelled_size
        if labelled is None:
            labelled = tf.shape(batch.labels)[0]
        accepted = self.gate.accepts(tf.reduce_max(probs, axis=1), labelled)
        step = tf.cast(self.optimizers[self.main].iterations, tf.float32)
        ramp = tf.minimum(1.0, (step + 1.0) / max(1, self.options.pseudo_rampup))
        return Guess(tf.argmax(probs, axis=1, output_type=tf.int32), ramp * accepted)

    def cross_fit(self, batch: Batch, folds: tf.Tensor, seed: tf.Tensor) -> None:
        """A step of the copies, on the labelled examples as C has learnt from them.

        Args:
            batch: Transformed.
            folds: ``[B]``, of the examples before that.
            seed: ``[2]``, of the step.
        """
        with tf.GradientTape() as tape:
            loss = self.cross_fitted.objective(
                batch.examples, batch.labels, folds, self.trains_trunk, noise.fold(seed, *_MASKS)
            )
        self.descend(tape, {CROSS_FITTED: loss})

    def _teach(self, classifier: Classifier, examples: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Probabilities ``[B, C]`` of examples as they are, without any gradient."""
        features = classifier.features(examples)
        if self.options.pseudo_teacher == "classifier":
            return tf.stop_gradient(tf.exp(classifier.head(features)))
        head = classifier.head
        passes = head.mc_log_probs(features, head.mc_masks(seed, self.options.pseudo_passes))
        return tf.stop_gradient(tf.reduce_mean(tf.exp(passes), axis=0))

    def facts(self) -> dict[str, float]:
        return {**super().facts(), **(self.gate.facts() if self.pseudo_labels else {})}
