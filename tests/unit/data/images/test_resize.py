from __future__ import annotations

import numpy as np
import tensorflow as tf

from bgadl_tf.core.types import Images
from bgadl_tf.data.images import resize


def noise(count: int, height: int, width: int, channels: int) -> Images:
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(count, height, width, channels), dtype=np.uint8)


def test_an_image_of_that_size_is_left_alone() -> None:
    images = noise(2, 8, 8, 1)
    assert resize.resize(images, 8) is images


def test_constant_images_stay_constant() -> None:
    for value in (0, 7, 255):
        images = np.full((1, 9, 13, 3), value, np.uint8)
        for size in (8, 32):
            assert (resize.resize(images, size) == value).all()


def test_halving_averages_the_neighbourhood_instead_of_skipping_pixels() -> None:
    """The triangle kernel of antialiasing has weights 1, 3, 3, 1 over 8 on a factor of two."""
    stripes = np.zeros((1, 16, 16, 1), np.uint8)
    stripes[:, :, 1::2] = 200
    assert (resize.resize(stripes, 8)[0, :, 1:-1] == 100).all()


def test_values_are_rounded_to_the_nearest() -> None:
    image = np.zeros((1, 2, 2, 1), np.uint8)
    image[0, :, 1] = 3
    assert resize.resize(image, 4)[0, 0, :, 0].tolist() == [0, 1, 2, 3]


def test_an_image_does_not_depend_on_its_batch() -> None:
    images = noise(resize.CHUNK + 3, 12, 9, 1)
    resized = resize.resize(images, 8)
    assert resized.shape == (resize.CHUNK + 3, 8, 8, 1)
    for row in (0, resize.CHUNK - 1, resize.CHUNK, resize.CHUNK + 2):
        np.testing.assert_array_equal(resized[row], resize.resize(images[row : row + 1], 8)[0])


def test_a_graph_with_unknown_sizes_gives_the_same_pixels() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)])
    def served(images: tf.Tensor) -> tf.Tensor:
        return resize.resize_tensor(images, (10, 10))

    images = noise(3, 17, 21, 3)
    result = served(tf.constant(images))
    assert result.dtype == tf.uint8
    np.testing.assert_array_equal(result.numpy(), resize.resize(images, 10))
