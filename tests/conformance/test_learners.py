"""What holds for every registered learner."""

from __future__ import annotations

import functools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.export.models import on_one_device
from bgadl_tf.learners.abilities import Generates
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.loop.checkpoints import Checkpoints
from bgadl_tf.loop.journal import Moment
from tests.support.examples import some_images, some_labels
from tests.support.learners import every_learner, reseed, small_learner, weights_of
from tests.support.scoring import predict

IMAGES, LABELS = some_images(40), some_labels(40)
POOL = some_images(50, seed=1)


@pytest.fixture(scope="module", params=every_learner())
def name(request: pytest.FixtureRequest) -> str:
    """Each registered learner; all tests of one follow each other, and share what is built."""
    return str(request.param)


@functools.lru_cache(maxsize=1)
def trained_once(name: str) -> tuple[Learner, Trainer]:
    """A learner and what trains it on one device, whose step is traced once for several tests."""
    learner = small_learner(name)
    return learner, Trainer(learner, learner.space, tf.distribute.get_strategy(), 16)


def fresh(name: str) -> tuple[Learner, Trainer]:
    """``trained_once`` as it was."""
    learner, trainer = trained_once(name)
    reseed(learner)
    return learner, trainer


def normalises_batches() -> keras.Model:
    """A small network of a user with a BatchNorm, to make a classifier of."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
        ]
    )


def with_sgd(learner: Learner) -> Learner:
    """The learner with plain gradient descent: Adam would turn rounding errors into steps."""
    learner.compile({name: keras.optimizers.SGD(0.001) for name in learner.networks})
    return learner


@pytest.mark.usefixtures("eager")
def test_a_step_on_two_replicas_is_a_step_on_one(
    name: str,
    one_device: tf.distribute.Strategy,
    mirrored: tf.distribute.Strategy,
) -> None:
    # The generative learners normalise batches in E, G and D, the others in the classifier alone.
    normalised = {"plain": "resnet18"}.get(name, normalises_batches())
    classifier = "gal_cnn" if "generator" in small_learner(name).networks else normalised
    after = []
    for strategy in (one_device, mirrored):
        with strategy.scope():
            learner = with_sgd(small_learner(name, classifier))
        before = weights_of(learner)
        Trainer(learner, learner.space, strategy, 16).train(
            IMAGES, LABELS, (1, 2), steps=1, unlabelled=POOL
        )
        after.append(weights_of(learner))
    moved = [key for key in before if not np.array_equal(before[key], after[0][key])]
    if learner.trains_trunk:
        assert len(moved) > 0.9 * len(before)
    else:
        assert len(moved) == len(learner.trained_variables("classifier"))
    for key, value in after[0].items():
        # Some moving statistics are above 1, where a few roundings of float32 are more than 1e-6.
        np.testing.assert_allclose(after[1][key], value, rtol=1e-6, atol=1e-6, err_msg=key)


def test_what_is_exported_is_a_copy_on_one_device(
    name: str, mirrored: tf.distribute.Strategy
) -> None:
    with mirrored.scope():
        learner = small_learner(name)
    copy = on_one_device(learner)
    expected, copied = weights_of(learner), weights_of(copy)
    assert expected.keys() == copied.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(copied[key], value)
    assert not any(
        isinstance(weight.value, tf.distribute.DistributedValues)
        for network in copy.networks.values()
        for weight in network.weights
    )


def test_replicas_score_and_evaluate_as_one_device(
    name: str, one_device: tf.distribute.Strategy, mirrored: tf.distribute.Strategy
) -> None:
    predictions, evaluations = [], []
    for strategy in (one_device, mirrored):
        with strategy.scope():
            learner = small_learner(name)
        scorer = Scorer(learner, strategy, mc_samples=5, chunk=16)
        predictions.append(predict(scorer, IMAGES, 34))
        evaluations.append(scorer.evaluate(IMAGES, LABELS))
    for one, two in zip(*predictions, strict=True):
        assert len(one) == len(IMAGES)
        np.testing.assert_allclose(one, two, atol=1e-6)
    one, two = evaluations
    assert one[:2] == pytest.approx(two[:2])
    assert one.calibration is not None
    assert two.calibration is not None
    assert one.calibration.ece == pytest.approx(two.calibration.ece, rel=1e-5)
    assert one.calibration.count == two.calibration.count


def test_training_lowers_every_networks_loss_and_is_traced_once(name: str) -> None:
    learner, trainer = fresh(name)
    means: list[dict[str, float]] = []
    for steps in (1, 60):  # two rounds of different length, on sets of different size
        trainer.train(
            IMAGES[: 20 + steps // 3], LABELS[: 20 + steps // 3], (1, 2), steps,
            report_every=20, progress=lambda step, new: means.append(new),
        )  # fmt: skip
    assert trainer.traces == 1
    assert means[-1]["classification"] < means[0]["classification"]
    assert set(means[0]) == {*learner.tracked} >= {"loss", "accuracy", *learner.terms}


def test_stopping_between_steps_changes_nothing(name: str) -> None:
    learner, trainer = fresh(name)
    trainer.train(IMAGES, LABELS, (1, 2), steps=6, unlabelled=POOL)
    whole = weights_of(learner)
    reseed(learner)
    trainer.train(IMAGES, LABELS, (1, 2), steps=3, unlabelled=POOL)
    trainer.train(IMAGES, LABELS, (1, 2), steps=6, first_step=3, unlabelled=POOL, report_every=2)
    for key, value in weights_of(learner).items():
        np.testing.assert_array_equal(value, whole[key], err_msg=key)


def test_fit_takes_the_same_steps(name: str) -> None:
    learner = small_learner(name)
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(20)
    before = weights_of(learner)
    history = learner.fit(data, epochs=2, shuffle=False, verbose=0)
    assert set(history.history) == {*learner.tracked}
    assert int(learner.optimizers["classifier"].iterations.numpy()) == 4
    assert any(not np.array_equal(before[key], new) for key, new in weights_of(learner).items())
    assert learner.evaluate(data, verbose=0, return_dict=True)["classification"] > 0
    assert learner.predict(IMAGES, verbose=0).shape == (40, 10)


def test_fresh_weights_depend_on_the_seed_alone(name: str) -> None:
    (first, trainer), second = fresh(name), small_learner(name)
    for key, value in weights_of(first).items():
        np.testing.assert_array_equal(value, weights_of(second)[key], err_msg=key)
    trainer.train(IMAGES, LABELS, (1, 2), steps=2)
    reseed(first)
    for key, value in weights_of(first).items():
        np.testing.assert_array_equal(value, weights_of(second)[key], err_msg=key)
    for optimizer in first.optimizers.values():
        slots = [v for v in optimizer.variables if v is not optimizer.learning_rate]
        assert all(not np.any(slot.numpy()) for slot in slots)
    reseed(first, seed=1)
    assert any(not np.array_equal(value, weights_of(second)[key]) for key, value in
               weights_of(first).items())  # fmt: skip


def test_fresh_weights_are_drawn_as_the_layers_would(name: str) -> None:
    learner = small_learner(name)
    hidden = learner.classifier.head.stages[0].kernel.numpy()
    assert hidden.std() == pytest.approx(np.sqrt(2 / hidden.shape[0]), rel=0.15)  # He et al. 2015
    kernels = {v.path: v.numpy() for net in learner.networks.values() for v in net.weights}
    duplicates = [
        (a, b) for a in kernels for b in kernels
        if a < b and kernels[a].size > 40 and kernels[a].shape == kernels[b].shape
        and "kernel" in a and np.array_equal(kernels[a], kernels[b])
    ]  # fmt: skip
    assert duplicates == []


def test_serialised_it_is_rebuilt(name: str, tmp_path: Path) -> None:
    learner = small_learner(name, learning_rate=0.5)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    assert type(loaded) is type(learner)
    assert loaded.options == learner.options
    assert loaded.optimizers["classifier"].learning_rate.numpy() == 0.5
    for key, value in weights_of(learner).items():
        np.testing.assert_array_equal(value, weights_of(loaded)[key], err_msg=key)


def test_a_checkpoint_brings_back_every_weight_and_slot(name: str, tmp_path: Path) -> None:
    classifier = "resnet18" if name == "plain" else normalises_batches()
    learner, other = (small_learner(name, classifier) for _ in range(2))
    for number, variable in enumerate(all_variables(learner)):
        variable.assign(np.full(variable.shape, number).astype(variable.dtype))
    for made, restored in ((learner, False), (other, True)):
        checkpoints = Checkpoints(tmp_path, made)
        if restored:
            assert checkpoints.restore() == Moment(3, 1, 7)
        else:
            checkpoints.save(Moment(3, 1, 7), now=True)
    for number, variable in enumerate(all_variables(other)):
        assert np.all(variable.numpy().astype(float) == number), variable.path


def all_variables(learner: Learner) -> list[keras.Variable]:
    """Whatever training changes."""
    weights = [w for network in learner.networks.values() for w in network.weights]
    return weights + [v for optimizer in learner.optimizers.values() for v in optimizer.variables]


def test_mixed_precision_trains(name: str, one_device: tf.distribute.Strategy) -> None:
    from bgadl_tf.models.classifiers.base import CLASSIFIERS

    learner_type = LEARNERS.get(name)
    fields = {*learner_type.options_type.__dataclass_fields__}
    options = {"width": 0.1} if "width" in fields else {}
    classifier = CLASSIFIERS.get("gal_cnn")((8, 8, 1), 10, dtype="mixed_bfloat16")
    learner = learner_type.create(classifier, learner_type.options_type(**options))
    learner.compile()
    means: list[dict[str, float]] = []
    Trainer(learner, learner.space, one_device, 16).train(
        IMAGES, LABELS, (1, 2), 40, report_every=20, progress=lambda step, new: means.append(new)
    )
    assert means[1]["classification"] < means[0]["classification"]
    dtypes = {w.dtype for net in learner.networks.values() for w in net.trainable_variables}
    assert dtypes == {"float32"}


def test_generated_images_are_repeatable_and_of_the_right_form(name: str) -> None:
    learner = small_learner(name)
    if not isinstance(learner, Generates):
        pytest.skip(f"{name} generates nothing")
    seed = seeding.seed_pair(0, 1, "generate")
    first, again = (learner.augment(IMAGES[:5], LABELS[:5], seed) for _ in range(2))
    other = learner.augment(IMAGES[:5], LABELS[:5], (1, 1))
    assert first.shape == (5, 8, 8, 1)
    assert first.dtype == tf.uint8
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
