"""What learners share that let C learn from the pool under labels of its own.

The pool's examples of which all masks agree are the other end of BALD. Of an unlabelled u, what C
says of u as it is (the weak view) becomes the label of a transformed u (the strong view; Sohn et
al. 2020, "FixMatch"), if C is sure enough. How sure that must be is not a constant: held-out
predictions of labelled examples say it (``gate``, ``cross_fitted``)::

    C:  ... - w v(max_y p(y | u)) sum_y p(y | u) log C(y | T(u))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.learners.batch import Batch, Guess
from bgadl_tf.learners.initial_weights import SeedOf
from bgadl_tf.learners.learner import TRUNK
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.pseudo_labels.cross_fitted import CrossFitted
from bgadl_tf.learners.pseudo_labels.folds import folds_of
from bgadl_tf.learners.pseudo_labels.gate import Gate
from bgadl_tf.learners.pseudo_labels.options import PseudoLabelOptions
from bgadl_tf.learners.taught import TaughtLearner
from bgadl_tf.models import losses, noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead

CROSS_FITTED, GATE = "cross_fitted", "gate"
_COPIED_TRUNKS = "cross_fitted_trunk"
"""The optimizer of what is below the copies' heads, where C's has one, too."""

_PASSES, _MASKS = (110, 0), (110, 1)
"""Salts of the teacher's masks and of the copies'."""


class PseudoLabelling(TaughtLearner):
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
                self.options.pseudo_gate,
                self.options.pseudo_precision,
                self.options.pseudo_caution,
                self.options.pseudo_decay,
            )

    @property
    def pseudo_labels(self) -> bool:
        """Whether there are any."""
        return self.options.pseudo_weight > 0

    @property
    def uses_unlabelled(self) -> bool:
        return self.pseudo_labels

    @property
    def saved_networks(self) -> dict[str, keras.Model]:
        own = {CROSS_FITTED: self.cross_fitted, GATE: self.gate} if self.pseudo_labels else {}
        return {**super().saved_networks, **own}

    @property
    def followers(self) -> dict[str, str]:
        if not self.pseudo_labels:
            return {}
        trunks = {_COPIED_TRUNKS: TRUNK} if self.trunk_differs else {}
        return {CROSS_FITTED: "classifier", **trunks}

    def trained_variables(self, name: str) -> list[keras.Variable]:
        if name not in (CROSS_FITTED, _COPIED_TRUNKS):
            return super().trained_variables(name)
        copies = self.cross_fitted.copies
        if name == _COPIED_TRUNKS:
            return [variable for copy in copies for variable in copy.trunk_variables]
        if self.trunk_differs or not self.trains_trunk:
            return [variable for copy in copies for variable in copy.head.trainable_variables]
        return [variable for copy in copies for variable in copy.trainable_variables]

    def reset_optimizers(self, names: Sequence[str]) -> None:
        super().reset_optimizers([*names, _COPIED_TRUNKS] if CROSS_FITTED in names else names)

    def resets(self, warm_start: bool = False) -> tuple[str, ...]:
        own = (CROSS_FITTED, GATE) if self.pseudo_labels and not warm_start else ()
        return (*super().resets(warm_start), *own)

    def classifier_begins(self) -> None:
        super().classifier_begins()
        if self.pseudo_labels:
            self.cross_fitted.begin_as(self.classifier)

    def draw(self, seed_of: SeedOf) -> None:
        super().draw(seed_of)
        if self.pseudo_labels:
            self.gate.clear()

    def unpack(self, data: Any) -> Batch:
        """Where a batch brings nothing of the pool to guess (``fit``), the labelled stand in."""
        batch = super().unpack(data)
        if batch.unlabelled is not None or not self.pseudo_labels:
            return batch
        return batch._replace(unlabelled=batch.examples, unlabelled_views=batch.views)

    def prepared(self, batch: Batch, seed: tf.Tensor) -> Batch:
        """See ``Learner``; before that, C's guess of the unlabelled examples as they are."""
        changed = super().prepared(batch, seed)
        return changed._replace(guess=self._guess(batch, seed)) if self.pseudo_labels else changed

    def _guess(self, batch: Batch, seed: tf.Tensor) -> Guess:
        """Labels for unlabelled examples, and how far they count.

        The gate sees how the labelled ones are predicted by copies of C that do not know them.
        """
        folds = folds_of(batch.examples, self.options.pseudo_folds)
        masks = noise.fold(seed, *_PASSES)

        def predict(head: StochasticHead, features: tf.Tensor) -> tf.Tensor:
            return self._teach(head, features, masks)

        held_out = self.cross_fitted.held_out(predict, batch.examples, folds, self.trains_trunk)
        self.gate.see(
            tf.reduce_max(held_out, axis=1),
            tf.equal(tf.argmax(held_out, axis=1, output_type=tf.int32), batch.labels),
            batch.weights,
        )
        features = self.classifier.features(batch.unlabelled)
        probs = self._teach(self.classifier.head, features, masks)
        labelled = batch.labelled_size
        if labelled is None:
            labelled = tf.shape(batch.labels)[0]
        weights = self.gate.weights(tf.reduce_max(probs, axis=1), labelled)
        step = tf.cast(self.optimizers[self.main].iterations, tf.float32)
        ramp = tf.minimum(1.0, (step + 1.0) / max(1, self.options.pseudo_rampup))
        if self.options.pseudo_target == "hard":
            probs = tf.one_hot(tf.argmax(probs, axis=1), probs.shape[1])
        return Guess(probs, ramp * weights, folds)

    def pseudo_term(self, log_probs: tf.Tensor, batch: Batch) -> tf.Tensor:
        """C's loss ``[B]`` on the unlabelled examples, from its log-probabilities ``[B, C]``."""
        assert batch.guess is not None
        return batch.guess.weights * losses.soft_cross_entropy(log_probs, batch.guess.targets)

    def cross_fit(self, batch: Batch, seed: tf.Tensor) -> None:
        """A step of the copies of C, on the labelled examples as C has learnt from them.

        Args:
            batch: Transformed.
            seed: ``[2]``, of the step.
        """
        if batch.guess is None:
            return
        with tf.GradientTape() as tape:
            loss = self.cross_fitted.objective(
                batch.examples,
                batch.labels,
                batch.guess.folds,
                self.trains_trunk,
                noise.fold(seed, *_MASKS),
                self.loss_of,
                batch.weights,
            )
        trunks = {_COPIED_TRUNKS: loss} if self.trunk_differs else {}
        super().descend(tape, {CROSS_FITTED: loss, **trunks})

    def loss_of(self, head: StochasticHead, log_probs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """What C, or a copy of it, minimises of labelled examples, ``[B]``.

        Args:
            head: Its own.
            log_probs: ``[B, C]``, by that head.
            labels: ``[B]``.
        """
        return losses.cross_entropy(log_probs, labels)

    def _teach(self, head: StochasticHead, features: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Probabilities ``[B, C]`` of examples with features ``[B, F]``, without any gradient."""
        if self.options.pseudo_teacher == "classifier":
            return tf.stop_gradient(tf.exp(head(features)))
        passes = head.mc_log_probs(features, head.mc_masks(seed, self.options.pseudo_passes))
        return tf.stop_gradient(tf.reduce_mean(tf.exp(passes), axis=0))
