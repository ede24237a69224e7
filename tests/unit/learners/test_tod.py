"""The learner that is tied to its own running average."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core import seeding
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Examples, Rows
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.source import StoredExamples
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.export.models import on_one_device
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.learners.tod import TOD, TODOptions, centred
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.checkpoints import Checkpoints
from bgadl_tf.loop.journal import Moment
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier

RNG = np.random.default_rng(0)
IMAGES, POOL = (RNG.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8) for count in (40, 50))
LABELS = RNG.integers(0, 10, 40, dtype=np.int32)
Weights = list[np.ndarray[Any, Any]]


def make(classifier: str = "lenet", dropout: float | None = None, **options: Any) -> TOD:
    width = {"width": 0.125} if classifier.startswith("resnet") else {}
    network = CLASSIFIERS.get(classifier)((8, 8, 1), 10, dropout=dropout, **width)
    learner = TOD.create(network, TODOptions(**options))
    # Adam would turn rounding errors into steps.
    learner.compile(keras.optimizers.SGD(0.1))
    learner.draw(lambda detail: seeding.seed_pair(0, 0, "weights", detail)[0])
    return learner


def weights_of(network: Classifier) -> Weights:
    return [weight.numpy() for weight in network.weights]


def trained(learner: TOD, steps: int = 3, **kw: Any) -> TOD:
    strategy = kw.pop("strategy", tf.distribute.get_strategy())
    trainer = Trainer(learner, learner.space, strategy, 16)
    trainer.train(IMAGES, LABELS, (1, 2), steps, unlabelled=kw.pop("unlabelled", POOL), **kw)
    return learner


def assert_equal(found: Weights, expected: Weights) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_registered() -> None:
    assert LEARNERS.get("tod") is TOD


def test_centred_log_probabilities_are_centred_logits() -> None:
    logits = RNG.normal(size=(4, 3))
    expected = logits - logits.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(centred(tf.nn.log_softmax(logits)), expected, atol=1e-12)


def test_the_teacher_is_the_running_average() -> None:
    learner = make(ema=0.75)
    assert_equal(weights_of(learner.teacher), weights_of(learner.classifier))
    expected = weights_of(learner.teacher)
    for step in range(3):
        trained(learner, step + 1, first_step=step)
        now = weights_of(learner.classifier)
        expected = [0.75 * old + 0.25 * new for old, new in zip(expected, now, strict=True)]
        for found, average in zip(weights_of(learner.teacher), expected, strict=True):
            np.testing.assert_allclose(found, average, rtol=1e-5, atol=1e-6)


def test_one_step_by_hand() -> None:
    """Without dropout, against plain code."""
    learner, weight = make(dropout=0.0, unlabelled_weight=2.0), 2.0
    for number, variable in enumerate(learner.teacher.weights):
        variable.assign(np.sin(number + np.arange(variable.numpy().size)).reshape(variable.shape))
    twin = make(dropout=0.0).classifier
    batch = Batch(tf.constant(IMAGES[:6]), tf.constant(LABELS[:6]), tf.constant(POOL[:6]))
    labelled, unlabelled = (tf.constant(x[:6] / 255.0, tf.float32) for x in (IMAGES, POOL))
    with tf.GradientTape() as tape:
        everything = tf.concat([labelled, unlabelled], 0)
        log_probs = twin(everything, training=True)
        target = learner.teacher(everything)
        found, wanted = (x - tf.reduce_mean(x, 1, keepdims=True) for x in (log_probs, target))
        consistency = tf.reduce_mean(tf.square(found - wanted))
        classification = -tf.reduce_mean(tf.gather(log_probs[:6], LABELS[:6], batch_dims=1))
        loss = classification + weight * consistency
    gradients = tape.gradient(loss, twin.trainable_variables)
    means = learner.train_step(batch)
    assert float(means["classification"]) == pytest.approx(float(classification), rel=1e-5)
    assert float(means["consistency"]) == pytest.approx(float(consistency), rel=1e-5)
    assert float(means["loss"]) == pytest.approx(float(loss), rel=1e-5)
    for variable, start, gradient in zip(
        learner.classifier.trainable_variables, twin.trainable_variables, gradients, strict=True
    ):
        np.testing.assert_allclose(variable, start - 0.1 * gradient, rtol=1e-4, atol=1e-6)


def test_without_weight_it_is_plain_supervised_learning() -> None:
    learner = trained(make(unlabelled_weight=0.0, dropout=0.0))
    plain = LEARNERS.get("plain")
    other = plain.create(make(dropout=0.0).classifier, plain.options_type())
    other.compile(keras.optimizers.SGD(0.1))
    Trainer(other, other.space, tf.distribute.get_strategy(), 16).train(IMAGES, LABELS, (1, 2), 3)
    for one, two in zip(weights_of(learner.classifier), weights_of(other.classifier), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.parametrize("classifier", ["lenet", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_a_step_on_two_replicas_is_a_step_on_one(
    classifier: str, mirrored: tf.distribute.Strategy
) -> None:
    after = []
    for strategy in (tf.distribute.get_strategy(), mirrored):
        with strategy.scope():
            learner = make(classifier, ema=0.5)
        before = weights_of(learner.teacher)
        trained(learner, 1, strategy=strategy)
        after.append([*weights_of(learner.classifier), *weights_of(learner.teacher)])
        moved = [np.any(a != b) for a, b in zip(before, weights_of(learner.teacher), strict=True)]
        assert np.mean(moved) > 0.9
        for weight in learner.teacher.weights:
            copies = strategy.experimental_local_results(weight.value)
            assert_equal([copies[0].numpy()], [copies[-1].numpy()])
    for one, two in zip(*after, strict=True):
        np.testing.assert_allclose(two, one, rtol=0, atol=1e-5)


def test_stopping_between_steps_changes_nothing() -> None:
    whole, parts = trained(make(), 6), trained(make(), 3)
    trained(parts, 6, first_step=3, report_every=2)
    for name in ("classifier", "teacher"):
        assert_equal(weights_of(whole.saved_networks[name]), weights_of(parts.saved_networks[name]))


def test_the_teacher_is_saved_and_not_trained() -> None:
    learner = make()
    assert {*learner.networks} == {"classifier"}
    assert {*learner.saved_networks} == {"classifier", "teacher"}
    assert {*learner.optimizers} == {"classifier"}
    trainable = {variable.path for variable in learner.trainable_variables}
    assert trainable == {variable.path for variable in learner.classifier.trainable_variables}
    assert learner.resets() == ("classifier", "teacher")
    assert learner.resets(warm_start=True) == ()


def test_a_checkpoint_brings_the_teacher_back(tmp_path: Path) -> None:
    learner = trained(make(ema=0.5))
    Checkpoints(tmp_path, learner).save(Moment(1, 0, 3), now=True)
    other = make(ema=0.5)
    assert Checkpoints(tmp_path, other).restore() == (1, 0, 3)
    assert_equal(weights_of(other.teacher), weights_of(learner.teacher))


def test_serialised_it_is_rebuilt_teacher_included(tmp_path: Path) -> None:
    learner = trained(make(ema=0.5, unlabelled_weight=0.25))
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    assert isinstance(loaded, TOD)
    assert loaded.options == TODOptions(ema=0.5, unlabelled_weight=0.25)
    for name, network in learner.saved_networks.items():
        assert_equal(weights_of(loaded.saved_networks[name]), weights_of(network))
    assert_equal([loaded(IMAGES).numpy()], [learner(IMAGES).numpy()])


def test_a_model_of_ones_own_has_a_teacher() -> None:
    """Dropout in the trunk and BatchNorm, whose states are no gradient's business."""
    trunk = keras.Sequential([
        keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.2), keras.layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    learner = TOD.create(Classifier.from_model(trunk, 10), TODOptions(ema=0.0))
    learner.compile()
    assert_equal(weights_of(learner.teacher), weights_of(learner.classifier))
    trained(learner)
    assert_equal(weights_of(learner.teacher), weights_of(learner.classifier))


def test_fit_without_unlabelled_examples() -> None:
    learner = make()
    before = weights_of(learner.classifier)
    history = learner.fit(IMAGES, LABELS, epochs=2, batch_size=16, verbose=0, shuffle=False)
    assert {*history.history} == {"loss", "accuracy", "classification", "consistency"}
    assert history.history["consistency"][0] > 0
    assert any(np.any(a != b) for a, b in zip(before, weights_of(learner.classifier), strict=True))
    assert learner.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)["classification"] > 0
    assert learner.predict(IMAGES, verbose=0).shape == (40, 10)


def test_sample_weights_apply_to_labelled_examples_in_both_terms() -> None:
    def step(weights: np.ndarray[Any, Any] | None) -> Mapping[str, tf.Tensor]:
        learner = trained(make(dropout=0.0), 1)
        for metric in learner.metrics:
            metric.reset_state()
        return learner.train_step(
            (
                tf.constant(IMAGES),
                tf.constant(LABELS),
                weights if weights is None else tf.constant(weights),
            )
        )

    none, half = step(None), step(np.full(40, 0.5, np.float32))
    assert float(half["classification"]) == pytest.approx(float(none["classification"]) / 2)
    assert float(half["consistency"]) == pytest.approx(float(none["consistency"]) / 2)


def test_mixed_precision_trains() -> None:
    classifier = CLASSIFIERS.get("gal_cnn")((8, 8, 1), 10, dtype="mixed_bfloat16")
    learner = TOD.create(classifier, TODOptions(ema=0.9))
    learner.compile()
    means: list[dict[str, float]] = []
    trained(learner, 40, report_every=20, progress=lambda step, new: means.append(new))
    assert means[1]["classification"] < means[0]["classification"]
    assert {weight.dtype for weight in learner.teacher.weights} == {"float32"}


class Recorded(StoredExamples):
    """Remembers the rows that were read."""

    def __init__(self) -> None:
        super().__init__(POOL.shape)
        self.rows: set[int] = set()

    def read(self, rows: Rows) -> Examples:
        self.rows |= {*rows.tolist()}
        return POOL[rows]


def test_every_step_takes_other_unlabelled_examples() -> None:
    """In its first cycle the released code takes the same 128 at every step."""
    pool = Recorded()
    trained(make(), 4, unlabelled=pool)
    assert len(pool.rows) == len(POOL)


@pytest.mark.parametrize("warm_start", [False, True])
def test_classifier_and_teacher_begin_rounds_from_the_initial_weights(warm_start: bool) -> None:
    """The released code never goes back to them."""
    digits: Dataset = load_dataset("digits")
    began: list[tuple[Weights, Weights]] = []

    class Watched(TOD):
        def reset_optimizers(self, names: Any) -> None:
            super().reset_optimizers(names)
            began.append((weights_of(self.classifier), weights_of(self.teacher)))

    learner = Watched.create(make().classifier, TODOptions(ema=0.5))
    learner.compile()
    plan = Plan(
        rounds=1, query_size=5, initial_size=20, steps=3, batch_size=10, warm_start=warm_start
    )
    active = ActiveLearner(learner, "random", digits, plan=plan)
    began.clear()  # of the draw
    assert active.run()
    (classifier, teacher), (again, teacher_again) = began
    assert_equal(classifier, teacher)
    assert all(np.array_equal(a, b) for a, b in zip(classifier, again, strict=True)) != warm_start
    assert all(np.array_equal(a, b) for a, b in zip(teacher, teacher_again, strict=True)) != (
        warm_start
    )


def test_what_is_exported_is_the_classifier(mirrored: tf.distribute.Strategy) -> None:
    with mirrored.scope():
        learner = make()
    copy = on_one_device(learner)
    assert_equal(weights_of(copy.classifier), weights_of(learner.classifier))


@pytest.mark.parametrize("options", [{"unlabelled_weight": -0.1}, {"ema": 1.0}, {"ema": -0.1}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"--option {next(iter(options))} is "):
        TODOptions(**options)
