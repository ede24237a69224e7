"""The label-preserving transforms."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import ImageShape
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.pmda import PMDA
from bgadl_tf.models import noise
from tests.support.examples import some_vectors
from tests.support.learners import small_learner


def transform(shape: ImageShape, images: np.ndarray, **options: float) -> np.ndarray:
    learner = small_learner("pmda", shape=shape, **options)
    assert isinstance(learner, PMDA)
    return learner.transforms(tf.constant(images, tf.float32), tf.constant((1, 2))).numpy()


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


def test_of_vectors_each_form_is_taken_as_often() -> None:
    learner = small_learner("pmda", "mlp", (12,))
    examples = some_vectors(3000)
    views = np.stack([examples + 10, examples + 20, examples + 30], 1)
    batch = Batch(tf.constant(examples), tf.zeros(3000, tf.int32), views=tf.constant(views))
    seen = learner.prepared(batch, tf.constant((1, 2))).examples.numpy()
    chosen = ((seen - examples) / 10).round().astype(int)
    assert (chosen == chosen[:, :1]).all(), "one form of one example, whole"
    counts = np.bincount(chosen[:, 0])
    assert len(counts) == 4
    assert np.abs(counts - 750).max() < 100
    other = learner.prepared(batch, tf.constant((1, 3))).examples.numpy()
    assert not np.array_equal(seen, other)
    without = learner.prepared(batch._replace(views=None), tf.constant((1, 2)))
    np.testing.assert_array_equal(without.examples, examples)


def test_images_are_moved_whatever_views_there_are(cross: np.ndarray) -> None:
    learner = small_learner("pmda", shape=(15, 15, 1))
    assert not learner.uses_views
    batch = Batch(tf.constant(cross), tf.zeros(64, tf.int32))
    moved = learner.prepared(batch, tf.constant((1, 2))).examples
    seed = noise.fold(tf.constant((1, 2)), 100, 0)
    np.testing.assert_array_equal(moved, learner.transforms(batch.examples, seed))
