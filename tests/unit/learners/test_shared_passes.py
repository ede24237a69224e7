"""Steps from shared passes are the steps that each network would take from passes of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.learners.acgan import ACGAN
from bgadl_tf.learners.adversarial import AdversarialLearner
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.vaeacgan import VAEACGAN, AlternatingVAEACGAN
from bgadl_tf.models import losses, noise
from bgadl_tf.models.spaces import space_of
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner

COUNT = 12
SHAPE = (16, 16, 1)
DATA = some_images(COUNT, SHAPE), some_labels(COUNT), some_images(COUNT, SHAPE, seed=1)

Losses = Mapping[str, Callable[[], tf.Tensor]]


def make(name: str, classifier: str, **options: object) -> AdversarialLearner:
    """A learner whose steps are its gradients, and weights that make every term count."""
    learner = small_learner(name, classifier, SHAPE, warmup_steps=0, **options)
    assert isinstance(learner, AdversarialLearner)
    learner.compile({network: keras.optimizers.SGD(1.0) for network in learner.networks})
    learner.optimizers["generator"].iterations.assign(10)
    return learner


def moved(learner: AdversarialLearner) -> dict[str, list[np.ndarray]]:
    """What one step of the learner itself adds to every trainable weight."""
    before = {name: net.get_weights() for name, net in learner.networks.items()}
    trained = {
        name: [weight.numpy() for weight in net.trainable_variables]
        for name, net in learner.networks.items()
    }
    tf.function(learner.train_step)(Batch(*(tf.constant(part) for part in DATA)))
    moves = {
        name: [
            w.numpy() - old for w, old in zip(net.trainable_variables, trained[name], strict=True)
        ]
        for name, net in learner.networks.items()
    }
    for name, net in learner.networks.items():
        net.set_weights(before[name])
    learner.optimizers["classifier"].iterations.assign(0)
    return moves


def expected(learner: AdversarialLearner, turn: Losses) -> dict[str, list[np.ndarray]]:
    """Minus the gradient of every network's own loss, by a pass and a tape of its own."""
    moves = {}
    for name, loss in turn.items():
        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, learner.networks[name].trainable_variables)
        moves[name] = [-gradient.numpy() for gradient in gradients]
    return moves


def mean_entropy(
    learner: AdversarialLearner, pixels: tf.Tensor, seed: tf.Tensor, *salts: int
) -> tf.Tensor:
    log_probs = learner.classifier(pixels, training=True, seed=noise.fold(seed, *salts))
    return tf.reduce_mean(losses.cross_entropy(log_probs, DATA[1]))


def judged(learner: AdversarialLearner, pixels: tf.Tensor, sign: float) -> tf.Tensor:
    """Loss of taking images for real (sign -1) or for fake (sign 1)."""
    return tf.reduce_mean(tf.nn.softplus(sign * learner.discriminator(pixels, training=True)))


def vaeacgan_losses(learner: VAEACGAN, turn: int = 0) -> Losses:
    """The paper's four losses, each written out with every forward pass that it needs."""
    x, y = space_of(SHAPE).to_float(tf.constant(DATA[0])), tf.constant(DATA[1])
    pool = space_of(SHAPE).to_float(tf.constant(DATA[2]))
    seed = noise.fold(learner.step_seed(), turn)
    options = learner.options
    guessed = tf.argmax(learner.classifier(pool), axis=1, output_type=tf.int32)
    seen = tf.concat([x, pool], 0) if options.unlabelled else x
    labels = tf.concat([y, guessed], 0) if options.unlabelled else y

    def draw(*salts: int) -> tf.Tensor:
        return noise.normal(noise.fold(seed, *salts), COUNT, options.latent_dim)

    def posterior() -> tuple[tf.Tensor, tf.Tensor]:
        return tuple(learner.encoder(seen, training=True))

    def rebuilt() -> tf.Tensor:
        mean, log_variance = posterior()
        draws = tf.concat([draw(1, 1), draw(1, 4)], 0) if options.unlabelled else draw(1, 1)
        latent = mean + tf.exp(0.5 * log_variance) * draws
        return learner.generator((latent, labels), training=True)

    def generated() -> tf.Tensor:
        return learner.generator((draw(2), y), training=True)

    def error() -> tf.Tensor:
        return tf.reduce_mean(tf.reduce_sum(tf.square(seen - rebuilt()), (1, 2, 3)))

    return {
        "encoder": lambda: (
            error() + options.kl_weight * tf.reduce_mean(losses.kl_divergence(*posterior()))
        ),
        "generator": lambda: (
            options.reconstruction_weight * error()
            + options.adversarial_weight * judged(learner, generated(), -1.0)
            + options.class_weight * mean_entropy(learner, generated(), seed, 3, 0)
        ),
        "discriminator": lambda: (
            judged(learner, pool if options.unlabelled else x, -1.0)
            + judged(learner, rebuilt()[:COUNT], 1.0)
            + judged(learner, generated(), 1.0)
        ),
        "classifier": lambda: (
            mean_entropy(learner, x, seed, 4, 0)
            + 0.5
            * learner.generated_weight()
            * (
                mean_entropy(learner, rebuilt()[:COUNT], seed, 4, 1)
                + mean_entropy(learner, generated(), seed, 3, 0)
            )
        ),
    }


def acgan_losses(learner: ACGAN) -> Losses:
    """The three losses of an ACGAN with some generated images beside a real one."""
    x, y = space_of(SHAPE).to_float(tf.constant(DATA[0])), tf.constant(DATA[1])
    pool = space_of(SHAPE).to_float(tf.constant(DATA[2]))
    seed, options = learner.step_seed(), learner.options
    every = range(options.generated_per_real)
    salts = [(1,), (2,), (2, 2), (2, 3)]
    latents = [noise.normal(noise.fold(seed, *salts[n]), COUNT, options.latent_dim) for n in every]

    def generated(number: int) -> tf.Tensor:
        return learner.generator((latents[number], y), training=True)

    def classified() -> tf.Tensor:
        return sum(mean_entropy(learner, generated(n), seed, 4, n) for n in every) / len(every)

    def judgements(sign: float) -> tf.Tensor:
        return sum(judged(learner, generated(n), sign) for n in every) / len(every)

    return {
        "generator": lambda: (
            options.adversarial_weight * judgements(-1.0) + options.class_weight * classified()
        ),
        "discriminator": lambda: (
            judged(learner, pool if options.unlabelled else x, -1.0) + judgements(1.0)
        ),
        "classifier": lambda: (
            mean_entropy(learner, x, seed, 3, 0) + learner.generated_weight() * classified()
        ),
    }


def assert_same(
    actual: Mapping[str, list[np.ndarray]], wanted: Mapping[str, list[np.ndarray]]
) -> None:
    assert {*actual} == {*wanted}
    for name, moves in wanted.items():
        for number, (ours, plain) in enumerate(zip(actual[name], moves, strict=True)):
            # A gradient that is zero but for rounding (a bias before BatchNorm) has no scale.
            scale = max(float(np.abs(plain).max()), 1e-3)
            np.testing.assert_allclose(
                ours / scale, plain / scale, atol=5e-4, err_msg=f"{name} {number}"
            )


@pytest.mark.parametrize(
    ("classifier", "unlabelled"),
    [
        ("lenet", False),
        ("lenet", True),
        ("resnet18", True),
        pytest.param("resnet18", False, marks=pytest.mark.slow),
    ],
)
def test_of_a_vaeacgan(classifier: str, unlabelled: bool) -> None:
    learner = make(
        "vaeacgan", classifier, unlabelled=unlabelled, reconstruction_weight=0.3, kl_weight=0.7,
        adversarial_weight=1.3, class_weight=0.6, generated_weight=0.8,
    )  # fmt: skip
    assert isinstance(learner, VAEACGAN)
    assert_same(moved(learner), expected(learner, vaeacgan_losses(learner)))


@pytest.mark.parametrize(
    ("classifier", "unlabelled", "count"),
    [
        ("lenet", False, 2),
        ("lenet", True, 4),
        ("lenet", False, 1),
        pytest.param("resnet18", True, 2, marks=pytest.mark.slow),
    ],
)
def test_of_an_acgan(classifier: str, unlabelled: bool, count: int) -> None:
    learner = make(
        "acgan", classifier, unlabelled=unlabelled, generated_weight=0.8, generated_per_real=count
    )
    assert isinstance(learner, ACGAN)
    assert_same(moved(learner), expected(learner, acgan_losses(learner)))


def test_of_turns_each_through_what_the_one_before_has_changed() -> None:
    learner, rate = make("vaeacgan-alternating", "lenet"), 0.05
    assert isinstance(learner, AlternatingVAEACGAN)
    for optimizer in learner.optimizers.values():
        optimizer.learning_rate.assign(rate)
    actual = {name: [move / rate for move in moves] for name, moves in moved(learner).items()}
    wanted: dict[str, list[np.ndarray]] = {}
    for number, turn in enumerate(learner.turns):
        own = vaeacgan_losses(learner, number)
        wanted |= expected(learner, {name: own[name] for name in turn})
        for name in turn:
            variables = learner.networks[name].trainable_variables
            for variable, move in zip(variables, wanted[name], strict=True):
                variable.assign_add(rate * move)
    assert_same(actual, wanted)


def test_moving_statistics_are_those_of_separate_passes() -> None:
    learner = make("vaeacgan", "resnet18")
    groups = {
        name: space_of(SHAPE).to_float(tf.constant(some_images(6, SHAPE, n)))
        for n, name in enumerate("abc")
    }
    before = learner.discriminator.get_weights()
    separate = {
        name: learner.discriminator(images, training=True) for name, images in groups.items()
    }
    after = learner.discriminator.get_weights()
    learner.discriminator.set_weights(before)
    together = learner.discriminate(groups)
    for name, logits in separate.items():
        np.testing.assert_allclose(together[name], logits, rtol=1e-4, atol=1e-5)
    for ours, plain in zip(learner.discriminator.get_weights(), after, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-6)
    assert any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))
