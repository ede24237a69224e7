"""Every learner is a Keras model: what users of ``compile`` and ``fit`` expect holds."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.learners import fused_optimizers
from bgadl_tf.learners.learner import LEARNERS, Learner
from tests.support.examples import some_images, some_labels
from tests.support.learners import every_learner, reseed, small_learner, weights_of

IMAGES, LABELS = some_images(16), some_labels(16)
STILL = {
    "shift": 0.0, "zoom": 0.0, "rotation": 0.0, "further_weight": 0.0, "gamma": 0.0,
    "unsupervised_weight": 0.0,
}  # fmt: skip
HINGE = ("svm", "self_taught")
"""Learners whose loss is no cross-entropy."""

Weights = dict[str, np.ndarray]


@pytest.fixture(scope="module", params=every_learner())
def name(request: pytest.FixtureRequest) -> str:
    """Each registered learner; all tests of one follow each other, and share what is built."""
    return str(request.param)


@functools.lru_cache(maxsize=2)
def still(name: str, dropout: float | None) -> Learner:
    """A learner that moves no image; built once for the tests of it that follow each other."""
    fields = {*LEARNERS.get(name).options_type.__dataclass_fields__}
    options = {option: value for option, value in STILL.items() if option in fields}
    return small_learner(name, dropout=dropout, **options)


def make(name: str, dropout: float | None = None) -> Learner:
    """``still`` with fresh weights, for plain gradient steps; no trace for a single step."""
    learner = still(name, dropout)
    reseed(learner)
    optimizers = {network: keras.optimizers.SGD(0.01) for network in learner.networks}
    learner.compile(optimizers, run_eagerly=True)
    return learner


def fitted(
    learner: Learner, images: Any = IMAGES, labels: Any = LABELS, weights: Any = None
) -> dict[str, float]:
    """The means of one step on all examples at once."""
    history = learner.fit(
        images, labels, batch_size=len(images), sample_weight=weights, shuffle=False, verbose=0
    )
    return {metric: values[-1] for metric, values in history.history.items()}


def after(learner: Learner, *given: Any, only: str = "", **named: Any) -> Weights:
    """Weights after one step, of one network or of all."""
    fitted(learner, *given, **named)
    return {key: value for key, value in weights_of(learner).items() if key.startswith(only)}


def assert_equal(one: Weights, other: Weights, atol: float = 0.0) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        np.testing.assert_allclose(other[key], value, rtol=0, atol=atol, err_msg=key)


def differs(one: Weights, other: Weights) -> bool:
    return any(not np.array_equal(value, other[key]) for key, value in one.items())


def test_an_optimizer_by_name_or_as_an_object_is_the_classifiers(name: str) -> None:
    learner = small_learner(name)
    like_it = {"classifier", *learner.followers}
    others = {network: o for network, o in learner.optimizers.items() if network not in like_it}
    for given, kind in (
        ("adam", fused_optimizers.Adam),
        ("Adam", fused_optimizers.Adam),
        ("rmsprop", keras.optimizers.RMSprop),
        (keras.optimizers.SGD(0.1), keras.optimizers.SGD),
        (None, fused_optimizers.Adam),
    ):
        learner.compile(optimizer=given, run_eagerly=True)
        assert type(learner.optimizers["classifier"]) is kind
        assert all(type(learner.optimizers[name]) is kind for name in like_it)
        assert {*learner.optimizers} == {*learner.networks, *like_it}
        for network, optimizer in others.items():
            assert type(learner.optimizers[network]) is type(optimizer)
            assert learner.optimizers[network] is not optimizer
        before = weights_of(learner)
        assert differs(before, after(learner))
    learner.compile(optimizer=keras.optimizers.SGD(0.1))
    assert float(learner.optimizers["classifier"].learning_rate.numpy()) == pytest.approx(0.1)


def test_a_mapping_names_an_optimizer_for_every_network(name: str) -> None:
    learner = small_learner(name)
    with pytest.raises(ValueError, match=r"optimizers for \['nothing'\]; expected one for each of"):
        learner.compile({"nothing": keras.optimizers.SGD(0.1)})


def test_images_as_floats_give_the_step_of_images_as_integers(name: str) -> None:
    floats = IMAGES.astype(np.float32) / np.float32(255.0)
    assert_equal(after(make(name)), after(make(name), floats), atol=1e-7)
    assert differs(after(make(name)), after(make(name), 0.5 * floats))


def test_weights_of_1_are_none(name: str) -> None:
    # Of learners that use the pool, too: the weights are not taken for images of it.
    plain, plain_after = fitted(make(name)), weights_of(still(name, None))
    weighted = fitted(make(name), weights=np.ones(16))
    assert plain == pytest.approx(weighted)
    assert_equal(plain_after, weights_of(still(name, None)))


def test_an_example_of_weight_0_does_not_count(name: str) -> None:
    others, labels = IMAGES.copy(), LABELS.copy()
    others[:4], labels[:4] = some_images(4, seed=5), (LABELS[:4] + 1) % 10
    weights = np.array([0.0] * 4 + [1.0] * 12)
    ours = after(make(name), weights=weights, only="classifier")
    assert_equal(ours, after(make(name), others, labels, weights=weights, only="classifier"))
    assert differs(ours, after(make(name), only="classifier"))
    nothing = make(name)
    before = {key: v for key, v in weights_of(nothing).items() if key.startswith("classifier")}
    assert_equal(before, after(nothing, weights=np.zeros(16), only="classifier"))


def test_weights_scale_the_step(name: str) -> None:
    learner = make(name)
    before = {key: v for key, v in weights_of(learner).items() if key.startswith("classifier")}
    once = after(learner, only="classifier")
    twice = after(make(name), weights=np.full(16, 2.0), only="classifier")
    for key, start in before.items():
        np.testing.assert_allclose(twice[key] - start, 2.0 * (once[key] - start), atol=1e-6)


def log_probs_of(learner: Learner) -> np.ndarray:
    return np.asarray(learner(IMAGES), np.float64)


@pytest.mark.parametrize("weights", [None, np.linspace(0.0, 2.0, 16)], ids=["plain", "weighted"])
def test_loss_and_accuracy_by_hand(name: str, weights: np.ndarray | None) -> None:
    learner = make(name, dropout=0.0)
    log_probs = log_probs_of(learner)
    w = np.ones(16) if weights is None else weights
    own = log_probs[np.arange(16), LABELS]
    if name in HINGE:
        others = np.where(np.arange(10) == LABELS[:, None], -np.inf, log_probs).max(1)
        loss = float(np.mean(w * np.maximum(0, 1 + others - own)))
    else:
        loss = float(np.mean(-w * own))
    accuracy = float(np.average(log_probs.argmax(1) == LABELS, weights=w))
    data = tf.data.Dataset.from_tensor_slices(
        (IMAGES, LABELS) if weights is None else (IMAGES, LABELS, weights)
    )
    # Without dropout, and while no generated image counts, training sees what evaluation sees.
    evaluated = learner.evaluate(data.batch(5), verbose=0, return_dict=True)
    for means in (evaluated, fitted(learner, weights=weights)):
        assert means["loss"] == pytest.approx(loss, rel=1e-5)
        assert means["classification"] == pytest.approx(loss, rel=1e-5)
        assert means["accuracy"] == pytest.approx(accuracy, rel=1e-5)


def test_the_loss_is_the_classifiers_whole_objective(name: str) -> None:
    learner = small_learner(name)
    if "generator" not in learner.networks:
        pytest.skip(f"{name} generates nothing")
    if hasattr(learner.options, "unsupervised_weight"):
        learner = small_learner(name, unsupervised_weight=0.5)
        learner.compile(run_eagerly=True)
        means = fitted(learner)
        told = 0.5 * (means["unlabelled_real"] + means["generated_fake"])
        assert means["loss"] == pytest.approx(means["classification"] + 0.5 * told, rel=1e-5)
        return
    learner = small_learner(name, warmup_steps=0, generated_weight=0.8)
    learner.compile(run_eagerly=True)
    learner.optimizers["generator"].iterations.assign(10)
    means = fitted(learner)
    generated = [v for key, v in means.items() if key.startswith("classification_")]
    expected = means["classification"] + 0.8 * np.mean(generated)
    assert means["loss"] == pytest.approx(expected, rel=1e-5)


def test_labels_may_be_a_column(name: str) -> None:
    row, row_after = fitted(make(name)), weights_of(still(name, None))
    column = fitted(make(name), labels=LABELS[:, None])
    assert column == pytest.approx(row)
    assert_equal(row_after, weights_of(still(name, None)))


def test_without_labels_there_is_nothing_to_learn(name: str) -> None:
    with pytest.raises(ValueError, match="there are no labels"):
        make(name).fit(IMAGES, shuffle=False, verbose=0)


@pytest.mark.parametrize("optimizer", ["adam", pytest.param("rmsprop", marks=pytest.mark.slow)])
def test_saved_and_loaded_it_goes_on(name: str, optimizer: str, tmp_path: Path) -> None:
    learner = small_learner(name)
    learner.compile(optimizer=optimizer, run_eagerly=True)
    fitted(learner)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    assert_equal(weights_of(learner), weights_of(loaded))
    for network, one in learner.optimizers.items():
        assert type(loaded.optimizers[network]) is type(one)
        assert loaded.optimizers[network].get_config() == one.get_config()
    np.testing.assert_array_equal(loaded(IMAGES), learner(IMAGES))
    before = weights_of(loaded)
    assert differs(before, after(loaded))
