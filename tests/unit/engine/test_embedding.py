"""Images through a frozen backbone: the same in any chunks, on any number of replicas."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Floats, Images, Rows
from bgadl_tf.data.embeddings.store import Lacking
from bgadl_tf.data.source import StoredExamples
from bgadl_tf.engine.embedding import Embedder
from bgadl_tf.learners.views import ColourViews, GreyViews
from bgadl_tf.models.pretrained.backbone import Backbone
from bgadl_tf.models.pretrained.pixels import Pixels
from bgadl_tf.models.pretrained.precision import in_precision
from tests.support.backbones import tiny
from tests.support.examples import some_images

COUNT = 23
DIGESTS = np.random.default_rng(0).integers(0, 2**64, COUNT, np.uint64)
GREY = GreyViews(0.1, 0.1, 10.0)
ALL = np.arange(COUNT)


@pytest.fixture(scope="module")
def images() -> Images:
    found: Images = some_images(COUNT)
    return found


@pytest.fixture(scope="module")
def backbone(images: Images) -> Backbone:
    return Backbone(tiny(images.shape[1:]), images.shape[1:], Pixels(-1.0, 1.0))


def features(embedder: Embedder, images: Images, rows: Rows = ALL) -> Floats:
    chunks = embedder(images, DIGESTS, Lacking(rows, True, range(0)))
    return np.concatenate([chunk.features for chunk in chunks if chunk.features is not None])


def views(embedder: Embedder, images: Images, rows: Rows = ALL, count: int = 2) -> Floats:
    chunks = [*embedder(images, DIGESTS, Lacking(rows, False, range(count)))]
    assert all(chunk.features is None for chunk in chunks)
    found = [np.concatenate([chunk.views[view] for chunk in chunks]) for view in range(count)]
    return np.stack(found, axis=1)


def test_features_are_those_of_the_network(
    backbone: Backbone, images: Images, one_device: tf.distribute.Strategy
) -> None:
    embedder = Embedder(backbone, one_device, chunk=5)
    expected = backbone.network(images / np.float32(127.5) - 1)
    np.testing.assert_allclose(features(embedder, images), expected, atol=1e-6)
    assert embedder.traces == 1


def test_folded_features_are_the_same_but_for_rounding(
    backbone: Backbone, images: Images, one_device: tf.distribute.Strategy
) -> None:
    plain, folded = (
        features(Embedder(backbone, one_device, chunk=5, folded=folded), images)
        for folded in (False, True)
    )
    np.testing.assert_allclose(folded, plain, atol=1e-5)


def test_going_on_in_the_middle_changes_no_bit(
    backbone: Backbone, images: Images, one_device: tf.distribute.Strategy
) -> None:
    embedder = Embedder(backbone, one_device, GREY, chunk=5, folded=True)
    for of in (features, views):
        whole = of(embedder, images)
        np.testing.assert_array_equal(of(embedder, images, ALL[10:]), whole[10:])
    assert embedder.traces == 2


def test_views_do_not_depend_on_place_or_chunk(
    backbone: Backbone, images: Images, one_device: tf.distribute.Strategy
) -> None:
    whole = views(Embedder(backbone, one_device, GREY, chunk=5), images, count=3)
    assert whole.shape == (COUNT, 3, 6)
    some = np.array([20, 3, 4])
    again = views(Embedder(backbone, one_device, GREY, chunk=2), images, some, 3)
    np.testing.assert_allclose(again, whole[some], atol=1e-6)
    plain = features(Embedder(backbone, one_device), images)
    for view in range(3):
        assert not np.isclose(whole[:, view], plain, atol=1e-4).all(1).any()
    assert not np.isclose(whole[:, 0], whole[:, 1], atol=1e-4).all(1).any()


def test_two_replicas_see_what_one_does(
    backbone: Backbone, images: Images, mirrored: tf.distribute.Strategy,
    one_device: tf.distribute.Strategy,
) -> None:  # fmt: skip
    with mirrored.scope():
        copy = Backbone(tiny(images.shape[1:]), images.shape[1:], Pixels(-1.0, 1.0))
        copy.set_weights(backbone.get_weights())
    one = Embedder(backbone, one_device, GREY, chunk=6, folded=True)
    two = Embedder(copy, mirrored, GREY, chunk=5, folded=True)
    assert two.chunk == 6
    for of in (features, views):
        np.testing.assert_allclose(of(two, images), of(one, images), atol=1e-6)


def test_bfloat16_keeps_the_weights(backbone: Backbone, images: Images) -> None:
    strategy = tf.distribute.get_strategy()
    assert in_precision(backbone, "float32") is backbone
    half = in_precision(backbone, "mixed_bfloat16")
    plain, rough = (features(Embedder(one, strategy), images) for one in (backbone, half))
    assert rough.dtype == np.float32
    assert 1e-5 < np.abs(plain - rough).max() < 0.05
    assert half.fingerprint() != backbone.fingerprint()


def test_colour_images_have_colour_views(one_device: tf.distribute.Strategy) -> None:
    images = np.random.default_rng(1).integers(0, 256, (COUNT, 8, 8, 3), np.uint8)
    backbone = Backbone(tiny((8, 8, 3)), (8, 8, 3))
    found = views(Embedder(backbone, one_device, ColourViews(0.5, 0.2, 0.0)), images)
    assert np.isfinite(found).all()
    assert not np.isclose(found[:, 0], features(Embedder(backbone, one_device), images)).all()


def test_an_image_that_cannot_be_read_ends_it(
    backbone: Backbone, images: Images, one_device: tf.distribute.Strategy
) -> None:
    class Torn(StoredExamples):
        def read(self, rows: Rows) -> Images:
            if rows.max() > 11:
                raise DataError("image 12 is gone")
            return images[rows]

    chunks = Embedder(backbone, one_device, chunk=5)(
        Torn(images.shape), DIGESTS, Lacking(ALL, True, range(0))
    )
    assert len(next(chunks).rows) == len(next(chunks).rows) == 5
    with pytest.raises(DataError, match="image 12 is gone"):
        next(chunks)
