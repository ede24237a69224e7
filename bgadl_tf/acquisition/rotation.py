"""A pretext task that needs no label: by which quarter turn was an image rotated?

Gidaris, Singh and Komodakis, "Unsupervised Representation Learning by Predicting Image Rotations"
(ICLR 2018): every image is seen in all four rotations.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.task import Task
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import Classifier

TURNS = 4
"""Rotations, by 0, 90, 180 and 270 degrees."""


class RotationTask(Task):
    """A classifier of rotations, of the kind of the classifier of the task, without MC dropout.

    All of it is trained. It begins from drawn weights; but a trunk that a user gave, from a copy of
    that one's, which may have been trained elsewhere: what it is and how it normalises can be in
    its weights. The user's own random layers are on while it is trained, from a seed.

    Its metrics are ``loss``, in nats, log 4 where it knows nothing, and ``accuracy``.

    Args:
        classifier: Tells the four rotations apart.
        learning_rate: Of Adam.
    """

    terms = ("loss", "accuracy")

    def __init__(self, classifier: Classifier, learning_rate: float, **kw: Any) -> None:
        super().__init__(learning_rate, **kw)
        self.classifier = classifier
        self.built = True

    @classmethod
    def drawn(cls, classifier: Classifier, seed: int, learning_rate: float) -> RotationTask:
        """A compiled one with initial weights of a seed.

        Args:
            classifier: Of the task, for which another one of its kind is made. It is not changed.
            seed: Of the weights that are drawn, and of the noise of layers that draw by themselves.
            learning_rate: Of Adam.

        Raises:
            ConfigError: None of its kind can be made for four classes.
        """
        task = cls(classifier.alike(TURNS), learning_rate)
        task.begin(seed)
        layers = task.classifier._flatten_layers()
        for number, own in enumerate(own for layer in layers for own in layer._seed_generators):
            own.state.assign(seeding.seed_pair(seed, 0, "noise", str(number)))
        return task

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"classifier": self.classifier}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step on all rotations of the examples of a batch; no label is looked at."""
        images = self.classifier.space.to_float(tf.convert_to_tensor(Batch.of(data).examples))
        with tf.GradientTape() as tape:
            log_probs = self.classifier(rotations(images), training=True)
            turns = tf.repeat(tf.range(TURNS), tf.shape(images)[0])
            term = losses.cross_entropy(log_probs, turns)
            loss = losses.global_mean(term)
        self.descend(tape, {"classifier": loss})
        right = tf.equal(tf.argmax(log_probs, axis=1, output_type=tf.int32), turns)
        return self.report({"loss": term, "accuracy": tf.cast(right, tf.float32)})

    def losses_of(self, images: tf.Tensor) -> tf.Tensor:
        """Mean cross-entropy of the four rotations of images ``[n, H, H, D]``, ``[n]``, nats."""
        log_probs = tf.reshape(self.classifier(rotations(images)), (TURNS, -1, TURNS))
        of_turns = [-log_probs[turn, :, turn] for turn in range(TURNS)]
        return tf.add_n(of_turns) / TURNS


def rotations(images: tf.Tensor) -> tf.Tensor:
    """All images as they are, then all by a quarter turn further, ``[4 n, H, H, D]``."""
    return tf.concat([tf.image.rot90(images, turn) for turn in range(TURNS)], 0)
