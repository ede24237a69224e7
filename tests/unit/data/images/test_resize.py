from __future__ import annotations

import numpy as np
import pytest
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


# Proportions


def area(*shape: int) -> Images:
    """A grey image that is white in the middle third of its longer side."""
    image = np.full((1, *shape, 1), 50, np.uint8)
    long = max(shape)
    middle = slice(long // 3, long - long // 3)
    if shape[0] >= shape[1]:
        image[:, middle] = 255
    else:
        image[:, :, middle] = 255
    return image


@pytest.mark.parametrize("mode", resize.MODES)
@pytest.mark.parametrize("shape", [(24, 24), (24, 48), (48, 24), (7, 7), (3, 50)])
def test_every_mode_gives_the_size_that_is_wanted(mode: str, shape: tuple[int, int]) -> None:
    resized = resize.resize(noise(2, *shape, 3), 12, mode)
    assert resized.shape == (2, 12, 12, 3)
    assert resized.dtype == np.uint8


@pytest.mark.parametrize("side", [5, 24, 31])
def test_square_images_are_alike_in_every_mode(side: int) -> None:
    images = noise(3, side, side, 3)
    stretched = resize.resize(images, 12)
    for mode in ("crop", "pad"):
        np.testing.assert_array_equal(resize.resize(images, 12, mode), stretched)


@pytest.mark.parametrize("shape", [(12, 36), (36, 12)])
def test_crop_cuts_the_middle(shape: tuple[int, int]) -> None:
    images = noise(1, *shape, 3)
    middle = images[:, :, 12:24] if shape[1] > shape[0] else images[:, 12:24]
    np.testing.assert_array_equal(resize.resize(images, 12, "crop"), middle)
    assert (resize.resize(area(*shape), 6, "crop")[:, 1:-1, 1:-1] == 255).all()


@pytest.mark.parametrize("shape", [(4, 12), (12, 4)])
def test_pad_keeps_everything_on_black(shape: tuple[int, int]) -> None:
    images = noise(1, *shape, 3)
    padded = resize.resize(images, 12, "pad")
    if shape[0] < shape[1]:
        inside, outside = padded[:, 4:8], (padded[:, :4], padded[:, 8:])
    else:
        inside, outside = padded[:, :, 4:8], (padded[:, :, :4], padded[:, :, 8:])
    np.testing.assert_array_equal(inside, images)
    assert not any(part.any() for part in outside)


def test_pad_scales_the_longer_side_without_skipping_pixels() -> None:
    stripes = np.zeros((1, 8, 16, 1), np.uint8)
    stripes[:, :, 1::2] = 200
    padded = resize.resize(stripes, 8, "pad")[0, ..., 0]
    assert (padded[2:6, 1:-1] == 100).all()
    assert not padded[:2].any()
    assert not padded[6:].any()


@pytest.mark.parametrize("mode", resize.MODES)
@pytest.mark.parametrize("shape", [(17, 21), (21, 17), (90, 11), (10, 10)])
def test_a_graph_gives_the_same_pixels_in_every_mode(mode: str, shape: tuple[int, int]) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)])
    def served(image: tf.Tensor) -> tf.Tensor:
        return resize.resize_tensor(image, (10, 10), mode)

    images = noise(1, *shape, 3)
    np.testing.assert_array_equal(
        served(tf.constant(images[0])), resize.resize(images, 10, mode)[0]
    )


@pytest.mark.parametrize("mode", ["crop", "pad"])
def test_results_need_not_be_square(mode: str) -> None:
    images = tf.constant(noise(1, 10, 10, 1))
    found = resize.resize_tensor(images, (5, 10), mode).numpy()[0, ..., 0]
    assert found.shape == (5, 10)
    if mode == "pad":
        assert not found[:, :2].any()
        assert not found[:, 8:].any()
        assert found[:, 3:7].all()


def test_long_and_thin_images_need_no_more_memory_than_others() -> None:
    """Scaled as a whole before it is cut, it would have 10^10 pixels."""
    found = resize.resize(np.full((1, 1, 10**6, 1), 9, np.uint8), 100, "crop")
    assert (found == 9).all()
