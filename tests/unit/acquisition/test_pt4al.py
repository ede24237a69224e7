"""PT4AL: losses as numbers, which batch is asked in which round, and its pretext task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from bgadl_tf.acquisition import pt4al
from bgadl_tf.acquisition.acquisition import check_needs, create
from bgadl_tf.acquisition.pt4al import PT4AL
from bgadl_tf.acquisition.query import Query
from bgadl_tf.acquisition.rotation import RotationTask, rotations
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from tests.support.learners import small_learner
from tests.support.pool_view import CLASSES, GivenView, Linear, random_evidence

EVIDENCE = random_evidence(40, side=4)
IDS = tuple(f"image-{number:02}" for number in range(40))
LOSSES = np.linspace(2.0, 0.05, 40).astype(np.float32)
"""Pretext losses of the images: batch 0 of four are the first ten."""


@pytest.fixture
def known_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pretext task finds ``LOSSES``."""

    def found(self: PT4AL, view: GivenView, ids: list[str], task: RotationTask) -> np.ndarray:
        return LOSSES[[IDS.index(id_) for id_ in ids]]

    monkeypatch.setattr(PT4AL, "_losses", found)


def ask(round_: int, size: int = 5, rows: range = range(40)) -> Query:
    labels = {IDS[row]: row % CLASSES for row in range(40) if row not in rows}
    view = GivenView(EVIDENCE, IDS, rows, 7, labels, round_)
    return PT4AL(batches=4, steps=1).query(view, size, np.random.default_rng(0))


def test_the_worked_example_losses_are_numbers_and_no_strings() -> None:
    # The released code sorts "3e-05" before "0.4" before "0.9", so that easy images come first.
    losses = np.array([0.9, 1.2, 3e-5, 0.4], np.float32)
    assert pt4al.spread_out(losses, np.zeros(4, int), 4) == [1, 0, 3, 2]
    edges = pt4al.edges_of(losses, 4)
    np.testing.assert_array_equal(edges, np.float32([1.2, 0.9, 0.4]))
    assert pt4al.batch_numbers(losses, edges).tolist() == [1, 0, 3, 2]


@pytest.mark.parametrize(("count", "batches"), [(10, 3), (3, 10), (7, 7), (1, 4)])
def test_batches_are_as_equal_as_can_be(count: int, batches: int) -> None:
    losses = np.random.default_rng(count).permutation(count).astype(np.float32)
    numbers = pt4al.batch_numbers(losses, pt4al.edges_of(losses, batches))
    expected = [len(part) for part in np.array_split(np.arange(count), batches)]
    found = np.bincount(numbers, minlength=batches)
    assert found[found > 0].tolist() == [size for size in expected if size]


@pytest.mark.usefixtures("known_losses")
def test_the_initial_set_is_spread_over_the_hardest_batch() -> None:
    asked = ask(0)
    assert asked.ids == tuple(IDS[row] for row in (0, 2, 4, 6, 8))
    np.testing.assert_array_equal(asked.scores, LOSSES[[0, 2, 4, 6, 8]])
    # More than a batch: the next ones fill it up.
    assert {*ask(0, 20).ids} == {*IDS[:20]}


@pytest.mark.usefixtures("known_losses")
@pytest.mark.parametrize(("round_", "first"), [(1, 10), (2, 20), (3, 30)])
def test_a_round_asks_for_the_least_sure_of_its_batch(round_: int, first: int) -> None:
    asked = ask(round_)
    sure = np.exp(EVIDENCE.log_probs).max(axis=1)[first : first + 10]
    expected = first + np.argsort(sure)[:5]
    assert asked.ids == tuple(IDS[row] for row in expected)
    np.testing.assert_allclose(asked.scores, 1 - np.sort(sure)[:5], rtol=1e-6)


@pytest.mark.usefixtures("known_losses")
def test_what_lacks_comes_from_the_batches_after_then_before() -> None:
    assert {*ask(3, 15).ids} > {*IDS[30:]}
    assert {*ask(3, 15).ids} < {*IDS[20:]}
    assert {*ask(2, 15).ids} > {*IDS[20:30]}
    assert {*ask(2, 15).ids} < {*IDS[20:]}


@pytest.mark.usefixtures("known_losses")
def test_after_the_last_batch_all_that_is_left_is_one() -> None:
    sure = np.exp(EVIDENCE.log_probs).max(axis=1)
    assert ask(4).ids == tuple(IDS[row] for row in np.argsort(sure, kind="stable")[:5])


def test_images_are_seen_in_all_four_rotations() -> None:
    images = tf.random.stateless_normal((3, 4, 4, 1), (1, 2))
    seen = rotations(images)
    for turn in range(4):
        expected = np.rot90(images.numpy(), turn, axes=(1, 2))
        np.testing.assert_array_equal(seen[3 * turn : 3 * turn + 3], expected)


def test_the_loss_is_the_mean_cross_entropy_of_the_four_rotations() -> None:
    task = RotationTask.drawn(CLASSIFIERS.get("lenet")((8, 8, 1), 10), 3, 1e-3)
    images = tf.random.stateless_uniform((5, 8, 8, 1), (1, 2))
    of_turns = [
        -task.classifier(tf.image.rot90(images, turn)).numpy()[:, turn] for turn in range(4)
    ]
    np.testing.assert_allclose(task.losses_of(images), np.mean(of_turns, axis=0), rtol=1e-5)


def users_classifier(fine_tune: str | int, noise: int = 0) -> Classifier:
    """Of a user's network with a Dropout of its own, which ends in what it was trained for.

    Args:
        fine_tune: What is trained of it.
        noise: Seeds what Keras draws after its weights.
    """
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU(),
        layers.Dropout(0.3), layers.GlobalAveragePooling2D(), layers.Dense(5),
    ])  # fmt: skip
    model.layers[1].moving_mean.assign(np.arange(6) / 10)
    keras.utils.set_random_seed(noise)
    return Classifier.from_model(model, 5, fine_tune=fine_tune)


def trained_on_rotations(classifier: Classifier, seed: int = 7) -> RotationTask:
    images = (load_digits().images[:64, :, :, None] * 15.9).astype(np.uint8)
    task = RotationTask.drawn(classifier, seed, 1e-2)
    Trainer(
        task, task.classifier.space, tf.distribute.get_strategy(), 16, labelled=False
    ).train(None, None, (1, 2), 3, unlabelled=images)  # fmt: skip
    return task


@pytest.mark.parametrize("fine_tune", ["all", "head", 1])
def test_of_a_users_network_all_is_trained_from_a_copy_of_its_trunk(fine_tune: str | int) -> None:
    classifier = users_classifier(fine_tune)
    before = [weight.numpy() for weight in classifier.weights]
    trunk = cast(Any, classifier).trunk.get_weights()
    task = RotationTask.drawn(classifier, 7, 1e-2)
    assert task.classifier.classes == 4
    new = cast(Any, task.classifier).trunk
    np.testing.assert_equal(new.get_weights(), trunk)
    assert len(new.trainable_variables) == 4
    moved = cast(Any, trained_on_rotations(classifier).classifier).trunk.get_weights()
    # A kernel, a bias, which BatchNorm takes away again, its gamma and beta, and its means.
    assert all((moved[place] != trunk[place]).any() for place in (0, 2, 3, 4))
    for weight, old in zip(classifier.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_of_a_users_network_the_same_seed_trains_the_same_bit_for_bit() -> None:
    first, again = (
        trained_on_rotations(users_classifier("head", noise)).classifier.get_weights()
        for noise in (1, 2)
    )
    np.testing.assert_equal(first, again)
    other = trained_on_rotations(users_classifier("head", 1), seed=8).classifier.get_weights()
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


def test_a_classifier_that_does_not_tell_its_classes_is_refused() -> None:
    class Silent(Linear):
        def get_config(self) -> dict[str, object]:
            return {}

    with pytest.raises(ConfigError, match=r"for 4 classes: its get_config\(\) does not hold 'cla"):
        RotationTask.drawn(Silent((4, 4, 1), 3), 0, 1e-3)


def test_rotations_of_digits_are_learnt_without_a_label() -> None:
    images = (load_digits().images[:500, :, :, None] * 15.9).astype(np.uint8)
    task = RotationTask.drawn(CLASSIFIERS.get("lenet")((8, 8, 1), 10), 0, 2e-3)
    assert float(tf.reduce_mean(task.losses_of(images / 255.0))) > 1.2  # log 4 is 1.39
    Trainer(
        task, task.classifier.space, tf.distribute.get_strategy(), 32, labelled=False
    ).train(None, None, (1, 2), 150, unlabelled=images)  # fmt: skip
    assert float(tf.reduce_mean(task.losses_of(images / 255.0))) < 0.8


@dataclass(frozen=True)
class RememberingView(GivenView):
    """Keeps what is remembered."""

    kept: dict[str, Any] = field(default_factory=dict)

    def remember(self, name: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Any:
        if name not in self.kept:
            self.kept[name] = dict(make())
        return self.kept[name]


def test_a_query_that_was_interrupted_draws_the_same_after_what_it_remembers() -> None:
    view = RememberingView(EVIDENCE, IDS, range(40), round=0)
    after = []
    for _ in range(2):
        rng = np.random.default_rng(5)
        asked = PT4AL(batches=4, steps=2).query(view, 5, rng)
        after.append((asked, rng.random()))
    assert after[0] == after[1]


@pytest.mark.parametrize("shape", [("mlp", (12,)), ("lenet", (8, 12, 1))])
def test_what_cannot_be_turned_is_refused(shape: tuple[str, tuple[int, ...]]) -> None:
    acquisition = create("pt4al")
    with pytest.raises(ConfigError, match="'pt4al' needs SquareImages"):
        check_needs("pt4al", acquisition, small_learner("plain", *shape))
    check_needs("pt4al", acquisition, small_learner("plain", "lenet", (8, 8, 1)))


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"batches": 0}, "batches is 0; it must be at least 1"),
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be positive"),
    ],
)
def test_options_that_cannot_be_are_refused(option: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        PT4AL(**option)
