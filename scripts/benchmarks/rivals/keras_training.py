"""The same sequential algorithm in plain Keras: a tape a network, stock optimizers, one function.

What a careful user writes who follows the paper: E, then G, then D and C step, each of these three
from forward passes of its own.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bgadl_tf.core.types import Images, ImageShape, Labels
from scripts.benchmarks.rivals import keras_networks as networks


class Sequential:
    """The four networks and how they take a step.

    Args:
        classifier: Name of C.
        shape: Of the images.
        policy: Keras dtype policy.
    """

    def __init__(self, classifier: str, shape: ImageShape, policy: str) -> None:
        with networks.precision(policy):
            self.encoder = networks.encoder(shape)
            self.generator = networks.generator(shape)
            self.discriminator = networks.discriminator(shape)
            self.classifier = networks.classifier(classifier, shape)
        self._optimizers = {}
        for network in (self.encoder, self.generator, self.discriminator, self.classifier):
            optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
            optimizer.build(network.trainable_variables)
            self._optimizers[id(network)] = optimizer
        self._loop = tf.function(self._steps, reduce_retracing=True)

    def train(self, images: Images, labels: Labels, steps: int, batch: int) -> None:
        """Take so many steps on batches in order, again and again."""
        self._loop(tf.constant(images), tf.constant(labels), tf.constant(steps), batch)

    def _steps(self, images: tf.Tensor, labels: tf.Tensor, steps: tf.Tensor, batch: int) -> None:
        for number in tf.range(steps):
            start = number * batch % (tf.shape(labels)[0] - batch + 1)
            x = tf.ensure_shape(images[start : start + batch], (batch, *images.shape[1:]))
            y = tf.ensure_shape(labels[start : start + batch], (batch,))
            self.step(x, y)

    def step(self, images: tf.Tensor, y: tf.Tensor) -> None:
        """One step of all networks.

        Args:
            images: ``uint8 [B, H, W, D]``.
            y: ``[B]``.
        """
        x, label = tf.cast(images, tf.float32) / 255.0, tf.one_hot(y, 10)
        with tf.GradientTape() as tape:
            mean, log_variance = self._posterior(x)
            rebuilt = self._decode(mean, log_variance, label)
            kl = tf.reduce_mean(mean**2 + tf.exp(log_variance) - log_variance - 1.0)
            loss = tf.reduce_mean((rebuilt - x) ** 2) + 0.5 * kl
        self._descend(tape, loss, self.encoder)

        with tf.GradientTape() as tape:
            made = self.generator([self._noise(y), label], training=True)
            error = tf.reduce_mean((self._decode(*self._posterior(x), label) - x) ** 2)
            loss = self._adversarial(made, True) + self._entropy(made, y) + 0.75 * error
        self._descend(tape, loss, self.generator)

        made = self.generator([self._noise(y), label], training=True)
        rebuilt = self._decode(*self._posterior(x), label)
        with tf.GradientTape() as tape:
            loss = self._adversarial(x, True)
            loss += self._adversarial(made, False) + self._adversarial(rebuilt, False)
        self._descend(tape, loss, self.discriminator)
        with tf.GradientTape() as tape:
            loss = self._entropy(x, y) + self._entropy(made, y) + self._entropy(rebuilt, y)
        self._descend(tape, loss, self.classifier)

    def _noise(self, y: tf.Tensor) -> tf.Tensor:
        return tf.random.normal((y.shape[0], networks.LATENT))

    def _posterior(self, x: tf.Tensor) -> list[tf.Tensor]:
        return [tf.cast(head, tf.float32) for head in self.encoder(x, training=True)]

    def _decode(self, mean: tf.Tensor, log_variance: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        latent = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
        return self.generator([latent, label], training=True)

    def _adversarial(self, images: tf.Tensor, real: bool) -> tf.Tensor:
        logits = tf.cast(self.discriminator(images, training=True), tf.float32)
        return tf.reduce_mean(tf.nn.softplus(-logits if real else logits))

    def _entropy(self, images: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        logits = tf.cast(self.classifier(images, training=True), tf.float32)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))

    def _descend(self, tape: tf.GradientTape, loss: tf.Tensor, network: keras.Model) -> None:
        gradients = tape.gradient(loss, network.trainable_variables)
        self._optimizers[id(network)].apply_gradients(
            zip(gradients, network.trainable_variables, strict=True)
        )
