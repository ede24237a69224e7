"""SimSiam: the pretext task, and the rounds that begin from what it has learnt."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.acquisition import ScoreAcquisition
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.core import seeding
from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Floats
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.siamese import SimSiam, spread
from bgadl_tf.learners.simsiam import SimSiamLearner, SimSiamOptions
from bgadl_tf.loop import checkpoints
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.folder_journal import FolderJournal
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models import losses
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.perceptron import Perceptron

PLAN = Plan(rounds=1, query_size=5, initial_size=10, steps=3, batch_size=20, candidates=50)


def make(
    classifier: str = "lenet", shape: tuple[int, ...] = (8, 8, 1), seed: int = 0, **options: Any
) -> SimSiamLearner:
    """A compiled learner whose weights are drawn; narrow where there is a width."""
    width = {"width": 0.125} if classifier.startswith("resnet") else {}
    options = {"pretext_steps": 6, "projection_dim": 32, **options}
    learner = SimSiamLearner.create(
        CLASSIFIERS.get(classifier)(shape, 10, **width), SimSiamOptions(**options)
    )
    learner.compile()
    learner.draw(lambda detail: seeding.seed_pair(seed, 0, "weights", detail)[0])
    learner.noise_seed.assign((seed, 7))
    learner.pretext.noise_seed.assign((seed, 8))
    return learner


def prepare(
    model: SimSiam, dataset: Dataset, steps: int, batch_size: int = 100
) -> dict[str, float]:
    """Steps of the pretext task on all training examples; the means of the last half of them."""
    means: dict[str, float] = {}
    trainer = Trainer(
        model, model.classifier.space, tf.distribute.get_strategy(), batch_size, labelled=False
    )
    trainer.train(
        None, None, (1, 2), steps, unlabelled=dataset.train.examples, report_every=steps // 2,
        progress=lambda step, new: means.update(new),
    )  # fmt: skip
    return means


def values(variables: list[keras.Variable]) -> list[Floats]:
    return [np.asarray(variable.numpy()) for variable in variables]


def trunk(classifier: Classifier) -> list[Floats]:
    """Every weight below the head, moving statistics included."""
    head = {id(weight) for weight in classifier.head.weights}
    return values([weight for weight in classifier.weights if id(weight) not in head])


def equal(first: list[Floats], second: list[Floats]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


# The loss


def test_the_worked_example_of_the_loss() -> None:
    loss = losses.negative_cosine(tf.constant([[1.0, 0.0]]), tf.constant([[1.0, 1.0]]))
    np.testing.assert_allclose(loss, [-0.707107], atol=1e-6)


def test_no_gradient_flows_through_the_projection() -> None:
    p, z = tf.Variable([[1.0, 0.5]]), tf.Variable([[1.0, 1.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(losses.negative_cosine(p, z))
    through_p, through_z = tape.gradient(loss, (p, z))
    assert through_z is None
    assert np.abs(through_p).max() > 0.1


def test_a_step_descends_both_halves_of_the_loss() -> None:
    model = make(pretext_weight_decay=0.0).pretext
    model.compile({name: keras.optimizers.SGD(1.0) for name in model.networks})
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), dtype=np.uint8)
    before = values(model.predictor.trainable_variables)
    x = tf.constant(images, tf.float32) / 255.0
    seed = model.step_seed()
    with tf.GradientTape() as tape:
        z1, z2 = (
            model.projector(
                model.classifier.features(
                    model.views(x, tf.random.experimental.stateless_fold_in(seed, number))
                ),
                training=True,
            )
            for number in range(2)
        )
        p1, p2 = (model.predictor(z, training=True) for z in (z1, z2))
        cosine = keras.losses.CosineSimilarity(reduction=None)
        loss = tf.reduce_mean(0.5 * (cosine(z2, p1) + cosine(z1, p2)))
    gradients = tape.gradient(loss, model.predictor.trainable_variables)
    result = model.train_step(Batch(tf.constant(images), tf.fill([12], -1)))
    assert float(result["loss"]) == pytest.approx(float(loss), abs=1e-5)
    for old, gradient, new in zip(
        before, gradients, values(model.predictor.trainable_variables), strict=True
    ):
        np.testing.assert_allclose(new, old - gradient, atol=1e-5)


# Collapse


def test_spread_is_0_for_equal_outputs_and_one_over_root_d_for_random_ones() -> None:
    assert float(spread(tf.ones((50, 16)))) == pytest.approx(0.0, abs=1e-6)
    assert float(spread(tf.random.stateless_normal((4000, 16), (1, 2)))) == pytest.approx(
        0.25, abs=0.005
    )


def test_outputs_do_not_collapse(digits: Dataset) -> None:
    model = make(pretext_steps=200, projection_dim=64).pretext
    means = prepare(model, digits, 200)
    assert means["loss"] < -0.5
    assert means["spread"] == pytest.approx(1 / 8, rel=0.1)


@pytest.mark.parametrize("stops", [True, False])
def test_it_is_the_stop_gradient_that_keeps_them_apart(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    if not stops:
        monkeypatch.setattr(tf, "stop_gradient", tf.identity)
    learner = make()
    # BatchNorm of the projector's output would slow the collapse down.
    model = SimSiam(
        learner.classifier, Perceptron(64, (64, 64)), Perceptron(64, (16, 64)),
        learner.pretext.views, steps=150, learning_rate=0.1,
    )  # fmt: skip
    model.compile()
    model.draw(lambda detail: seeding.seed_pair(0, 0, "weights", detail)[0])
    means = prepare(model, digits, 150)
    assert (means["spread"] > 0.6 / 8) is stops
    assert (means["spread"] < 0.35 / 8) is not stops


# Rounds


@pytest.mark.parametrize("classifier", ["lenet", "resnet18"])
@pytest.mark.parametrize("freeze", [True, False])
def test_a_frozen_trunk_stays_as_it_is_and_another_moves(classifier: str, freeze: bool) -> None:
    learner = make(classifier, freeze=freeze)
    before, head = trunk(learner.classifier), values(learner.classifier.head.weights)
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    labels = rng.integers(0, 10, 40, dtype=np.int32)
    Trainer(learner, learner.space, tf.distribute.get_strategy(), 20).train(
        examples, labels, (1, 2), 3
    )
    assert equal(before, trunk(learner.classifier)) is freeze
    assert not equal(head, values(learner.classifier.head.weights))
    slots = {tuple(v.shape) for v in learner.optimizers["classifier"].variables} - {()}
    if freeze:
        assert slots == {tuple(v.shape) for v in learner.classifier.head.trainable_variables}


@pytest.mark.parametrize("freeze", [True, False])
def test_every_round_begins_from_the_prepared_trunk_and_the_drawn_head(
    digits: Dataset, freeze: bool
) -> None:
    learner = make(freeze=freeze)
    drawn: list[list[Floats]] = []
    begun: list[tuple[list[Floats], list[Floats]]] = []
    prepared: list[list[Floats]] = []

    class Watch(Callback):
        def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
            if stage == "pretext":
                prepared.append(trunk(learner.classifier))

    active = ActiveLearner(learner, "margin", digits, plan=PLAN, callbacks=[Watch()])
    drawn.extend((trunk(learner.classifier), values(learner.classifier.head.weights)))

    def train(*args: Any, **kw: Any) -> None:
        begun.append((trunk(learner.classifier), values(learner.classifier.head.weights)))
        original(*args, **kw)

    original = active.fitting.trainer.train
    active.fitting.trainer.train = train  # type: ignore[method-assign]
    assert active.run()
    assert len(begun) == 2
    for of_trunk, head in begun:
        assert equal(of_trunk, prepared[-1])
        assert not equal(of_trunk, drawn[0])
        assert equal(head, drawn[1])
    assert equal(trunk(learner.classifier), prepared[-1]) is freeze


@pytest.mark.parametrize(
    "options",
    [
        {"pseudo_weight": 1.0},
        {
            "transforms": "standard", "transforms_on_probation": True, "agreement": 0.5,
            "judge": "teacher",
        },
    ],
    ids=["pseudo", "teacher"],
)  # fmt: skip
def test_what_copies_the_classifier_begins_from_the_prepared_trunk(
    options: dict[str, Any], digits: Dataset
) -> None:
    learner = make(**options)
    assert ActiveLearner(learner, "random", digits, plan=PLAN).run()
    copies = learner.cross_fitted.copies if learner.pseudo_labels else [learner.teacher]
    # Frozen in the rounds, it is still what the pretext left.
    for copy in copies:
        assert equal(trunk(copy), trunk(learner.classifier))


class PowerCutError(Exception):
    pass


class PowerCut(Callback):
    """Ends the run in the middle of a stage."""

    def __init__(self, stage: str, step: int) -> None:
        self.place = stage, step

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        if (stage, step) == self.place:
            raise PowerCutError


@pytest.fixture
def deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit-equal arithmetic, a checkpoint at every report, and a report every two steps."""
    tf.config.experimental.enable_op_determinism()
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    train = Trainer.train

    def often(self: Trainer, *args: Any, **kw: Any) -> None:
        train(self, *args, **{**kw, "report_every": 2})

    monkeypatch.setattr(Trainer, "train", often)


def everything(learner: SimSiamLearner) -> list[Floats]:
    """Every weight and every slot."""
    networks = [w for network in learner.saved_networks.values() for w in network.weights]
    slots = [v for one in learner.saved_optimizers.values() for v in one.variables]
    return values(networks + slots)


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize(
    ("stage", "step"), [("pretext", 4), pytest.param("train", 2, marks=pytest.mark.slow)]
)
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    digits: Dataset, tmp_path: Path, stage: str, step: int
) -> None:
    whole, second = make("resnet18"), make("resnet18", seed=2)
    uninterrupted = ActiveLearner(whole, "margin", digits, plan=PLAN, folder=tmp_path / "whole")
    assert uninterrupted.run()
    kept = run_into_a_power_cut(digits, tmp_path / "broken", stage, step)
    # What was under way when the power was cut had not been kept yet.
    assert kept == ((0, 0, step - 2) if stage == "pretext" else (0, 0, 6))
    resumed = ActiveLearner(second, "margin", digits, plan=PLAN, folder=tmp_path / "broken")
    assert resumed.run()
    assert equal(everything(whole), everything(second))
    rounds = [
        [{**record, "seconds": None} for record in active.journal.finished()]
        for active in (uninterrupted, resumed)
    ]
    assert rounds[0] == rounds[1]


def run_into_a_power_cut(
    dataset: Dataset, folder: Path, stage: str, step: int
) -> tuple[int, ...] | None:
    """A run that ends in the middle of a stage; the moment that its newest checkpoint is of."""
    folder.mkdir()
    journal = FolderJournal(folder)
    with journal.opened(), pytest.raises(PowerCutError):
        ActiveLearner(
            make("resnet18", seed=1), "margin", dataset, plan=PLAN, journal=journal,
            callbacks=[PowerCut(stage, step)],
        ).run()  # fmt: skip
    return journal.restore()


# Before the first query, without labels


@dataclass(frozen=True)
class BrightestFeatures(ScoreAcquisition):
    """Chooses the initial set, too."""

    chooses_initial_set: ClassVar[bool] = True

    def score(self, evidence: Evidence) -> tf.Tensor:
        return tf.reduce_sum(evidence.features, 1)


def test_it_runs_before_the_first_query_and_reads_no_label(digits: Dataset) -> None:
    hidden = dataclasses.replace(
        digits,
        train=dataclasses.replace(digits.train, labels=np.full(len(digits.train), -1, np.int32)),
    )
    asked = []
    for dataset in (digits, hidden):
        learner = make()
        active = ActiveLearner(learner, BrightestFeatures(), dataset, plan=PLAN)
        before = trunk(learner.classifier)
        asked.append((active.ask().ids, trunk(learner.classifier)))
        assert not equal(before, asked[-1][1])
    assert asked[0][0] == asked[1][0]
    for one, other in zip(asked[0][1], asked[1][1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_step_does_not_depend_on_labels_given_to_it() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    after = []
    for labels in (tf.fill([20], -1), tf.range(20), None):
        model = make().pretext
        data = (tf.constant(images),) if labels is None else Batch(tf.constant(images), labels)
        model.train_step(data)
        after.append(trunk(model.classifier))
    for one in after[1:]:
        for a, b in zip(one, after[0], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
def test_a_prepared_trunk_is_worth_labels(digits: Dataset) -> None:
    rows = np.concatenate([np.flatnonzero(digits.train.labels == c)[:2] for c in range(10)])
    accuracy = {}
    for prepared in (False, True):
        learner = make("resnet18", pretext_steps=150, projection_dim=64, learning_rate=5e-3)
        if prepared:
            prepare(learner.pretext, digits, 150)
        Trainer(learner, learner.space, tf.distribute.get_strategy(), 50).train(
            digits.train.examples[rows], digits.train.labels[rows], (1, 4), 200
        )
        predicted = learner(tf.constant(digits.test.examples[:])).numpy().argmax(1)
        accuracy[prepared] = float((predicted == digits.test.labels).mean())
    assert accuracy[True] > accuracy[False] + 0.1, accuracy


# Replicas, saving, options


@pytest.mark.parametrize(
    ("classifier", "shape"),
    [("lenet", (8, 8, 3)), pytest.param("resnet18", (8, 8, 1), marks=pytest.mark.slow)],
)
def test_a_step_on_two_replicas_is_a_step_on_one(
    classifier: str, shape: tuple[int, ...], mirrored: tf.distribute.Strategy
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (32, *shape), dtype=np.uint8)
    after: list[list[Floats]] = []
    for strategy in (tf.distribute.get_strategy(), mirrored):
        with strategy.scope():
            learner = make(classifier, shape)
            model = learner.pretext
            model.compile({name: keras.optimizers.SGD(0.001) for name in model.networks})
        before = [weight for net in model.networks.values() for weight in values(net.weights)]
        Trainer(model, learner.space, strategy, 16, labelled=False).train(
            None, None, (1, 2), 1, unlabelled=images
        )
        after.append([w for net in model.networks.values() for w in values(net.weights)])
    assert sum(not np.array_equal(a, b) for a, b in zip(before, after[0], strict=True)) > 5
    for one, two in zip(*after, strict=True):
        np.testing.assert_allclose(two, one, rtol=2e-6, atol=1e-6)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    learner = make(freeze=False, pretext_steps=3)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    assert isinstance(loaded, SimSiamLearner)
    assert loaded.options == learner.options
    for name, network in learner.saved_networks.items():
        assert equal(values(network.weights), values(loaded.saved_networks[name].weights)), name


def test_mixed_precision_prepares(digits: Dataset) -> None:
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), 10, dtype="mixed_bfloat16")
    learner = SimSiamLearner.create(classifier, SimSiamOptions(pretext_steps=20))
    learner.compile()
    assert np.isfinite(prepare(learner.pretext, digits, 20)["loss"])
    assert {v.dtype for v in classifier.trunk_variables} == {"float32"}


@pytest.mark.parametrize(
    ("classifier", "shape", "message"),
    [("mlp", (20,), "views of images"), ("mlp", (8, 8, 1), "nothing to train")],
)
def test_what_it_cannot_prepare_is_refused(
    classifier: str, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(classifier, shape)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pretext_steps", 0), ("projection_dim", 3), ("pretext_learning_rate", 0.0),
        ("pretext_weight_decay", -1.0), ("smallest_crop", 0.0), ("jitter", 1.5),
        ("greyscale", -0.1), ("shift", 2.0), ("zoom", 1.0), ("rotation", -1.0),
    ],
)  # fmt: skip
def test_impossible_options_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        SimSiamOptions(**{name: value})  # type: ignore[arg-type]
