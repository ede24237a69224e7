"""Random views: what may change about a photograph, and what about a grey image."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import Floats
from bgadl_tf.learners.views import ColourViews, GreyViews, Views

STILL = {"smallest_crop": 1.0, "jitter": 0.0, "greyscale": 0.0}


def seen(views: Views, images: Floats, seed: int = 1) -> Floats:
    array: Floats = views(tf.constant(images, tf.float32), tf.constant((seed, 2))).numpy()
    return array


@pytest.fixture
def cross() -> Floats:
    """Sixty-four grey images of a lopsided cross, [64, 15, 15, 1]."""
    image = np.zeros((15, 15, 1), np.float32)
    image[7, 3:12] = image[2:13, 6] = 1.0
    return np.repeat(image[None], 64, axis=0)


@pytest.fixture
def photographs() -> Floats:
    """Coloured noise, [64, 12, 12, 3], every image the same."""
    image = np.random.default_rng(0).uniform(size=(12, 12, 3)).astype(np.float32)
    return np.repeat(image[None], 64, axis=0)


def test_two_seeds_give_two_views_and_one_the_same(cross: Floats, photographs: Floats) -> None:
    for views, images in (
        (GreyViews(0.1, 0.2, 15.0), cross),
        (ColourViews(0.2, 0.4, 0.2), photographs),
    ):
        first = seen(views, images)
        assert first.shape == images.shape
        assert first.min() >= 0
        assert first.max() <= 1 + 1e-6
        assert len(np.unique(first.reshape(64, -1).round(4), axis=0)) == 64
        np.testing.assert_array_equal(first, seen(views, images))
        assert not np.allclose(first, seen(views, images, seed=2))


def test_a_grey_image_is_moved_and_never_mirrored(cross: Floats) -> None:
    np.testing.assert_allclose(seen(GreyViews(0.0, 0.0, 0.0), cross), cross, atol=1e-5)
    moved = seen(GreyViews(0.1, 0.0, 0.0), cross)[..., 0]
    # The upright bar stands left of the middle of the lying one; mirrored it would stand right.
    columns = (moved * np.arange(15)).sum((1, 2)) / moved.sum((1, 2))
    upright = moved.sum(1).argmax(1)
    assert (upright <= columns + 0.5).all()


def test_half_of_the_photographs_are_mirrored(photographs: Floats) -> None:
    views = seen(ColourViews(**STILL), photographs)
    same, mirrored = (
        np.isclose(views, images, atol=1e-4).all((1, 2, 3))
        for images in (photographs, photographs[:, :, ::-1])
    )
    assert 15 < mirrored.sum() < 49
    assert (same ^ mirrored).all()


def test_a_crop_shows_nothing_from_outside() -> None:
    white = np.ones((200, 9, 13, 3), np.float32)
    views = seen(ColourViews(smallest_crop=0.1, jitter=0.0, greyscale=0.0), white)
    np.testing.assert_allclose(views, 1.0, atol=1e-4)


def test_a_crop_shows_at_least_its_share_of_the_image() -> None:
    ramp = np.linspace(0, 1, 33, dtype=np.float32)
    image = np.stack([*np.meshgrid(ramp, ramp), np.zeros((33, 33), np.float32)], -1)
    views = seen(ColourViews(0.25, 0.0, 0.0), np.repeat(image[None], 300, 0))
    extents = [
        views[..., channel].max((1, 2)) - views[..., channel].min((1, 2)) for channel in (0, 1)
    ]
    area = extents[0] * extents[1]
    assert 0.25 - 0.02 < area.min() < 0.3
    assert 0.9 < area.max() <= 1.001
    assert np.std(extents[0] / extents[1]) > 0.05


def test_the_share_without_colour(photographs: Floats) -> None:
    few, all_, none = (
        (np.ptp(seen(ColourViews(1.0, 0.0, share), photographs), axis=-1) < 1e-3).all((1, 2))
        for share in (0.2, 1.0, 0.0)
    )
    assert 4 < few.sum() < 24
    assert all_.all()
    assert not none.any()


def test_brightness_contrast_saturation_and_hue_all_change() -> None:
    red = np.tile(np.array([0.5, 0.3, 0.2], np.float32), (400, 4, 4, 1))
    views = seen(ColourViews(1.0, 0.4, 0.0), red)[:, 0, 0]
    untouched = np.isclose(views, red[:, 0, 0], atol=1e-4).all(1)
    assert 0.1 < untouched.mean() < 0.3  # of five views, one
    luma = views @ np.array([0.299, 0.587, 0.114])
    before = red[0, 0, 0] @ np.array([0.299, 0.587, 0.114])
    assert (luma / before).min() == pytest.approx(0.6, abs=0.03)
    assert (luma / before).max() == pytest.approx(1.4, abs=0.03)
    chroma = views - luma[:, None]
    saturation = np.linalg.norm(chroma, axis=1)
    assert saturation.std() > 0.1 * saturation.mean()
    direction = chroma / saturation[:, None]
    assert (direction @ direction[untouched][0]).min() < np.cos(np.deg2rad(20))
