"""The label-preserving transforms."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.learners.pmda import PMDA
from tests.support.learners import small_learner


def transform(shape: ImageShape, images: np.ndarray, **options: float) -> np.ndarray:
    learner = small_learner("pmda", shape=shape, **options)
    assert isinstance(learner, PMDA)
    return learner.transform(tf.constant(images, tf.float32), tf.constant((1, 2))).numpy()


@pytest.fixture
def cross() -> np.ndarray:
    """Sixty-four images of a lopsided cross, [64, 15, 15, 1]."""
    image = np.zeros((15, 15, 1), np.float32)
    image[7, 3:12] = image[2:13, 6] = 1.0
    return np.repeat(image[None], 64, axis=0)


def test_without_any_freedom_it_is_the_identity(cross: np.ndarray) -> None:
    still = transform((15, 15, 1), cross, shift=0.0, zoom=0.0, rotation=0.0)
    np.testing.assert_allclose(still, cross, atol=1e-5)


def test_every_image_is_moved_in_its_own_way_and_little(cross: np.ndarray) -> None:
    moved = transform((15, 15, 1), cross)
    assert len(np.unique(moved.reshape(64, -1).round(3), axis=0)) == 64
    assert moved.min() >= 0
    assert moved.max() <= 1 + 1e-6
    np.testing.assert_allclose(moved.sum(axis=(1, 2, 3)), cross[0].sum(), rtol=0.35)
    rows = (moved.sum(axis=(2, 3)) * np.arange(15)).sum(1) / moved.sum(axis=(1, 2, 3))
    assert np.abs(rows - rows.mean()).max() < 0.1 * 15


def test_only_colour_images_are_mirrored(cross: np.ndarray) -> None:
    still = {"shift": 0.0, "zoom": 0.0, "rotation": 0.0}
    colour = transform((15, 15, 3), np.repeat(cross, 3, axis=3), **still)[..., :1]
    same, mirrored = (
        np.isclose(colour, image, atol=1e-4).all(axis=(1, 2, 3))
        for image in (cross, cross[:, :, ::-1])
    )
    assert 15 < mirrored.sum() < 49
    assert (same ^ mirrored).all()
