"""Learners over vectors, and the sizes of images that networks can be built for."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Shape
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.abilities import Encodes, Generates
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.generative import GenerativeLearner
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from bgadl_tf.models.discriminator import Discriminator
from bgadl_tf.models.encoder import Encoder
from bgadl_tf.models.generator import Generator
from bgadl_tf.models.spaces import ImageSpace, VectorSpace, space_of
from tests.support.examples import some_labels, some_vectors
from tests.support.learners import every_learner, reseed, small_learner, weights_of
from tests.support.scoring import bald_of

SHAPE = (12,)
VECTORS, LABELS, POOL = some_vectors(40), some_labels(40), some_vectors(50, seed=1)
VIEWS = np.stack([some_vectors(40, seed=2), some_vectors(40, seed=3)], 1)
IMAGES_ONLY = {"simsiam"}
NOT_WITH_MLP = IMAGES_ONLY | {"self_taught"}
"""Learners of images alone, and of classifiers with a trunk alone."""
TAKES_IMAGES = [name for name in CLASSIFIERS if name not in ("mlp", "linear", "shallow")]


@pytest.fixture(scope="module", params=every_learner(without=NOT_WITH_MLP))
def name(request: pytest.FixtureRequest) -> str:
    """Each registered learner that takes vectors; all tests of one follow each other."""
    return str(request.param)


@functools.lru_cache(maxsize=1)
def trained_once(name: str) -> tuple[Learner, Trainer]:
    """A learner and what trains it on one device, whose step is traced once for several tests."""
    learner = small_learner(name, "mlp", SHAPE)
    return learner, Trainer(learner, learner.space, tf.distribute.get_strategy(), 16)


def test_it_trains_scores_and_evaluates(name: str, one_device: tf.distribute.Strategy) -> None:
    learner, trainer = trained_once(name)
    reseed(learner)
    assert learner.space == VectorSpace(SHAPE)
    before = weights_of(learner)
    means: list[dict[str, float]] = []
    trainer.train(
        VECTORS, LABELS, (1, 2), 60, unlabelled=POOL, views=VIEWS, report_every=20,
        progress=lambda step, new: means.append(new),
    )  # fmt: skip
    assert means[-1]["classification"] < means[0]["classification"]
    moved = [key for key, value in weights_of(learner).items() if not (value == before[key]).all()]
    assert {key.partition("/")[0] for key in moved} == {*learner.networks}
    scorer = Scorer(learner, one_device, 10, chunk=16)
    bald = bald_of(scorer, POOL, 3)
    assert bald.shape == (50,)
    assert (bald > 0).all()
    log_probs = np.asarray(learner(VECTORS))
    found = scorer.evaluate(VECTORS, LABELS)
    assert found.accuracy == pytest.approx(np.mean(log_probs.argmax(1) == LABELS))
    assert found.nll == pytest.approx(-np.mean(log_probs[np.arange(40), LABELS]), rel=1e-5)


@pytest.mark.usefixtures("eager")
def test_a_step_on_two_replicas_is_a_step_on_one(
    name: str, one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy
) -> None:
    after = []
    for strategy in (one_device, mirrored):
        with strategy.scope():
            learner = small_learner(name, "mlp", SHAPE)
            learner.compile({key: keras.optimizers.SGD(0.001) for key in learner.networks})
        Trainer(learner, learner.space, strategy, 16).train(
            VECTORS, LABELS, (1, 2), steps=1, unlabelled=POOL, views=VIEWS
        )
        after.append(weights_of(learner))
    for key, value in after[0].items():
        np.testing.assert_allclose(after[1][key], value, rtol=0, atol=1e-6, err_msg=key)


def test_stopping_between_steps_changes_nothing(name: str) -> None:
    learner, trainer = trained_once(name)
    reseed(learner)
    trainer.train(VECTORS, LABELS, (1, 2), 6, unlabelled=POOL, views=VIEWS)
    whole = weights_of(learner)
    reseed(learner)
    trainer.train(VECTORS, LABELS, (1, 2), 3, unlabelled=POOL, views=VIEWS)
    trainer.train(VECTORS, LABELS, (1, 2), 6, 3, unlabelled=POOL, views=VIEWS)
    for key, value in weights_of(learner).items():
        np.testing.assert_array_equal(value, whole[key], err_msg=key)


def test_what_it_makes_further_is_vectors(name: str) -> None:
    learner = small_learner(name, "mlp", SHAPE)
    seed = seeding.seed_pair(0, 1, "generate")
    asked = Batch(VECTORS[:5], LABELS[:5])
    further, again = (learner.further(asked, seed) for _ in range(2))
    if further is None:
        assert not isinstance(learner, Generates)
        return
    assert again is not None
    assert (further.examples.shape, further.examples.dtype) == ((5, 12), np.float32)
    np.testing.assert_array_equal(further.examples, again.examples)
    np.testing.assert_array_equal(further.labels, LABELS[:5])
    if not isinstance(learner, Generates):
        return
    distance = np.sqrt(np.square(further.examples - VECTORS[:5]).sum(1))
    np.testing.assert_allclose(further.facts["reconstruction_error"], distance, rtol=1e-5)
    # Features have no range: what is made may be negative, or larger than 1.
    large = learner.decode(tf.fill((1, learner.latent_dim), 1e4), LABELS[:1])
    assert float(tf.reduce_max(tf.abs(large))) > 1.0
    if isinstance(learner, Encodes):
        latent = learner.encode(VECTORS[:5], tf.zeros((5, learner.latent_dim)))
        assert latent.shape == (5, learner.latent_dim)


@pytest.mark.parametrize("name", sorted(IMAGES_ONLY))
def test_what_moves_images_refuses_vectors(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{name}' .*images.*\(12,\); use another learner"):
        small_learner(name, "mlp", SHAPE)


@pytest.mark.parametrize("shape", [(4, 4, 1), (128, 128, 3), (8, 97, 1), (7, 96, 1)], ids=str)
def test_convolutional_e_g_and_d_say_which_sizes_they_take(shape: Shape) -> None:
    message = (
        rf"8 to 96 pixels a side, and images are {shape[0]}x{shape[1]}: give --image-size, or learn"
        r" in features \(--backbone keras:NAME or model:FILE.keras\), or choose a learner that"
        r" generates nothing"
    )
    for make in (
        lambda: Encoder(shape, 5, width=0.1),
        lambda: Generator(shape, 10, 5, width=0.1),
        lambda: Discriminator(shape, width=0.1),
    ):
        with pytest.raises(ConfigError, match=message):
            make()


@pytest.mark.parametrize(
    "name", [name for name in LEARNERS if issubclass(LEARNERS.get(name), GenerativeLearner)]
)
def test_so_does_a_learner_that_generates(name: str) -> None:
    with pytest.raises(ConfigError, match="images are 4x4: give --image-size"):
        small_learner(name, "mlp", (4, 4, 1))


@pytest.mark.parametrize("classifier", TAKES_IMAGES)
def test_a_convolutional_classifier_refuses_vectors(classifier: str) -> None:
    with pytest.raises(ConfigError, match=r"takes images \[H, W, D\], .*\(12,\); .* is 'mlp'"):
        CLASSIFIERS.get(classifier)(SHAPE, 10)


@pytest.mark.parametrize(("classifier", "side"), [("lenet", 1), ("lenet", 3), ("gal_cnn", 1)])
def test_a_convolutional_classifier_refuses_images_that_are_too_small(
    classifier: str, side: int
) -> None:
    with pytest.raises(
        ConfigError,
        match=rf"cannot be built for examples of shape \({side}, {side}, 1\) .*another classifier",
    ):
        CLASSIFIERS.get(classifier)((side, side, 1), 10)


def test_spaces_are_known_by_the_shape_of_an_example() -> None:
    assert space_of((12,)) == VectorSpace((12,))
    assert space_of((8, 9, 3)) == ImageSpace((8, 9, 3))
    for shape in ((), (8, 8), (8, 8, 0), (1, 2, 3, 4)):
        with pytest.raises(ConfigError, match=r"expected \(H, W, D\) or \(F,\)"):
            space_of(shape)


def test_images_are_numbers_from_0_to_1_inside_and_vectors_what_they_are() -> None:
    images, vectors = space_of((1, 2, 1)), space_of((3,))
    stored = tf.constant([[[[0], [255]]]], tf.uint8)
    inside = images.to_float(stored)
    assert inside.numpy().ravel().tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(images.to_float(inside), inside)
    made = images.from_float(tf.constant([[[[-0.2], [0.5]]]]))
    assert made.dtype == tf.uint8
    assert made.numpy().ravel().tolist() == [0, 128]
    every = tf.reshape(tf.range(256), (128, 1, 2, 1))
    np.testing.assert_array_equal(images.from_float(images.to_float(every)), every)
    values = tf.constant([[-3.0, 0.5, 300.0]])
    np.testing.assert_array_equal(vectors.from_float(vectors.to_float(values)), values)
    assert vectors.to_float(tf.cast(values, tf.float64)).dtype == tf.float32
