from __future__ import annotations

import numpy as np

from bgadl_tf.data.images.channels import with_channels


def test_colour_becomes_grey_by_its_brightness() -> None:
    image = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)
    grey = with_channels(image, 1)
    assert (grey.shape, grey.dtype) == ((5, 7, 1), np.uint8)
    # Weights of ITU-R BT.601; it is computed in whole numbers.
    np.testing.assert_allclose(grey[..., 0], image @ np.array([0.299, 0.587, 0.114]), atol=1)


def test_grey_is_alike_in_every_channel() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    np.testing.assert_array_equal(with_channels(image, 3), image.repeat(3, -1))


def test_what_has_the_channels_already_is_not_changed() -> None:
    for shape in ((2, 3, 1), (2, 3, 3)):
        image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        np.testing.assert_array_equal(with_channels(image, shape[-1]), image)
