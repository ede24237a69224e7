"""Encoder, generator and discriminator."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.models.convolutional import halvings
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.encoder import Encoder, Posterior
from bgadl_tf.models.generator import Generator
from tests.support.examples import some_images

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (9, 13, 3), (96, 96, 3)]
LABELS = tf.constant([0, 1, 2, 9])


def images(shape: ImageShape) -> tf.Tensor:
    return tf.constant(some_images(4, shape), tf.float32) / 255.0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_network_takes_images_of_any_size(shape: ImageShape) -> None:
    posterior = Encoder(shape, 5, width=0.1)(images(shape))
    assert posterior.mean.shape == posterior.log_variance.shape == (4, 5)
    generated = Generator(shape, 10, 5, width=0.1)((posterior.mean, LABELS))
    assert generated.shape == (4, *shape)
    assert 0 <= float(tf.reduce_min(generated)) <= float(tf.reduce_max(generated)) <= 1
    assert Discriminator(shape, width=0.1)(generated).shape == (4,)


def test_sizes_of_the_papers_networks() -> None:
    assert halvings((28, 28, 1)) == [(28, 28), (14, 14), (7, 7)]
    assert halvings((32, 32, 3))[-1] == (4, 4)
    generator = Generator((28, 28, 1), 10)
    assert generator.decoder.project.kernel.shape == (1024, 7 * 7 * 128)
    upsamplings = generator.decoder.convolutions
    assert [layer.kernel.shape[2:] for layer in upsamplings] == [(64, 128), (1, 64)]


def test_the_posterior_is_linear_and_not_squashed() -> None:
    # The released encoder passes the image through one ReLU unit and its heads through a
    # sigmoid: means in (0, 1), variances of at least 1 (methods, fault 6).
    encoder = Encoder((28, 28, 1), 50, width=0.1)
    for head in (encoder.mean_head, encoder.log_variance_head):
        head.kernel.assign(100.0 * head.kernel)
    posterior = encoder(images((28, 28, 1)), training=True)
    assert float(tf.reduce_min(posterior.mean)) < 0 < float(tf.reduce_max(posterior.mean))
    assert float(tf.reduce_max(posterior.mean)) > 1
    assert float(tf.reduce_min(posterior.log_variance)) < 0
    assert np.linalg.matrix_rank(posterior.mean - posterior.mean[:1]) == 3


def test_a_draw_from_the_posterior_is_reparameterised() -> None:
    posterior = Posterior(tf.constant([[1.0, 2.0]]), tf.math.log([[4.0, 9.0]]))
    np.testing.assert_allclose(posterior.sample(tf.constant([[0.5, -1.0]])), [[2.0, -1.0]])


def test_the_label_changes_the_image() -> None:
    generator = Generator((8, 8, 1), 10, 5, width=0.1)
    latent = tf.zeros((2, 5))
    one, two = generator((latent, tf.constant([1, 2])))
    assert float(tf.reduce_max(tf.abs(one - two))) > 0


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_saved_and_loaded_they_compute_the_same(policy: str, tmp_path: Path) -> None:
    shape = (8, 8, 1)
    encoder = Encoder(shape, 5, width=0.1, dtype=policy)
    generator = Generator(shape, 10, 5, width=0.1, dtype=policy)
    discriminator = Discriminator(shape, width=0.1, dtype=policy)
    loaded = []
    for number, network in enumerate((encoder, generator, discriminator)):
        network.save(tmp_path / f"{number}.keras")
        loaded.append(keras.saving.load_model(tmp_path / f"{number}.keras"))
    np.testing.assert_array_equal(loaded[0](images(shape)).mean, encoder(images(shape)).mean)
    inputs = (tf.ones((4, 5)), LABELS)
    np.testing.assert_array_equal(loaded[1](inputs), generator(inputs))
    np.testing.assert_array_equal(loaded[2](images(shape)), discriminator(images(shape)))
    assert generator(inputs).dtype == tf.float32
