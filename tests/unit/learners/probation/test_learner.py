"""Learners whose further examples are on probation, from a step to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.export.models import on_one_device
from bgadl_tf.learners.growing import with_classes
from bgadl_tf.learners.learner import LEARNERS, Learner
from bgadl_tf.learners.options import Options
from bgadl_tf.learners.plain import Plain
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.checkpoints import Checkpoints
from bgadl_tf.loop.journal import Moment
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import reseed, small_learner, weights_of

IMAGES, LABELS, POOL = some_images(40), some_labels(40), some_images(50, seed=1)
EVERYTHING: dict[str, Any] = {
    "agreement": 0.08, "judge": "teacher", "gradient_similarity": "weighted",
    "transforms": "standard", "transforms_on_probation": True,
}  # fmt: skip
GENERATIVE: dict[str, Any] = {**EVERYTHING, "warmup": "evidence", "generator_every": 2}
LEARNERS_ON_PROBATION = {
    "plain": EVERYTHING, "pmda": EVERYTHING, "tod": EVERYTHING, "acgan": GENERATIVE,
    "vaeacgan": {**GENERATIVE, "judge": "passes", "gradient_similarity": "projected"},
}  # fmt: skip
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("tod", "vaeacgan") else name
    for name in LEARNERS_ON_PROBATION
]


def make(name: str, classifier: str = "lenet", **more: Any) -> Learner:
    return small_learner(name, classifier, **{**LEARNERS_ON_PROBATION[name], **more})


def saved(learner: Learner) -> dict[str, np.ndarray]:
    return {
        f"{name}/{number}": np.asarray(weight.numpy())
        for name, network in learner.saved_networks.items()
        for number, weight in enumerate(network.weights)
    }


def train(learner: Learner, steps: int, first_step: int = 0, **kw: Any) -> dict[str, float]:
    strategy = kw.pop("strategy", tf.distribute.get_strategy())
    means: list[dict[str, float]] = []
    Trainer(learner, learner.space, strategy, 16).train(
        IMAGES, LABELS, (1, 2), steps, first_step, unlabelled=POOL,
        progress=lambda _, new: means.append(new),
    )  # fmt: skip
    return means[-1]


def test_every_registered_learner_can_put_transforms_on_probation() -> None:
    for name in LEARNERS:
        assert "transforms_on_probation" in LEARNERS.get(name).options_type.__dataclass_fields__


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", NAMES)
def test_a_step_on_two_replicas_is_a_step_on_one(
    name: str, mirrored: tf.distribute.Strategy
) -> None:
    after, facts = [], []
    for strategy in (tf.distribute.get_strategy(), mirrored):
        with strategy.scope():
            learner = make(name)
            learner.compile({network: keras.optimizers.SGD(0.001) for network in learner.networks})
            for state in ("evidence", "group_weights"):
                if state in learner.saved_networks:
                    for weight in learner.saved_networks[state].weights:
                        weight.assign(np.full(weight.shape, 0.4))
        train(learner, 1, strategy=strategy)
        after.append(saved(learner))
        facts.append(learner.facts())
        for network in learner.saved_networks.values():
            for weight in network.weights:
                copies = strategy.experimental_local_results(weight.value)
                np.testing.assert_array_equal(copies[0].numpy(), copies[-1].numpy())
    for key, value in after[0].items():
        np.testing.assert_allclose(after[1][key], value, rtol=0, atol=1e-5, err_msg=key)
    assert facts[0] == pytest.approx(facts[1], abs=1e-4)
    assert 0 < facts[0]["weight_transformed"] < 1


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "name", ["plain", "acgan", pytest.param("vaeacgan", marks=pytest.mark.slow)]
)
def test_resumed_it_goes_on_as_if_it_had_never_stopped(name: str, tmp_path: Path) -> None:
    whole = make(name)
    train(whole, 5)
    part = make(name)
    train(part, 3)
    Checkpoints(tmp_path, part).save(Moment(0, 0, 3), now=True)
    other = make(name)
    Checkpoints(tmp_path, other).restore()
    assert other.facts() == part.facts() != {}
    train(other, 5, 3)
    for key, value in saved(whole).items():
        np.testing.assert_array_equal(saved(other)[key], value, err_msg=key)
    assert other.facts() == whole.facts()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", NAMES)
def test_saved_copied_and_grown_it_is_the_same(name: str, tmp_path: Path) -> None:
    learner = make(name)
    means = train(learner, 2)
    assert {*means} == {*learner.tracked} > {"loss", "accuracy", *learner.terms}
    weights = {f"weight_{group}" for group in learner.facts()} | {*learner.facts()}
    assert {name for name in means if name.startswith("weight_")} == weights & {*means}
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    for key, value in saved(learner).items():
        np.testing.assert_array_equal(saved(loaded)[key], value, err_msg=key)
    on_one_device(learner)
    grown = with_classes(learner, 11)
    assert grown.facts() == learner.facts()
    train(grown, 1)


@pytest.mark.parametrize("name", ["acgan", "vaeacgan"])
def test_fit_mixed_precision_and_vectors(name: str) -> None:
    learner = make(name)
    history = learner.fit(IMAGES, LABELS, epochs=1, batch_size=20, verbose=0)
    assert {*history.history} == {*learner.tracked}
    kind = LEARNERS.get(name)
    classifier = CLASSIFIERS.get("mlp")((12,), 10, dtype="mixed_bfloat16")
    options = kind.options_type(width=0.1, **{**LEARNERS_ON_PROBATION[name], "transforms": "views"})
    learner = kind.create(classifier, options)
    learner.compile()
    reseed(learner)
    vectors = some_vectors(40)
    trainer = Trainer(learner, learner.space, tf.distribute.get_strategy(), 16)
    trainer.train(vectors, LABELS, (1, 2), 3, views=vectors[:, None] + 0.1)
    assert all(np.isfinite(value) for value in learner.facts().values())


@pytest.mark.usefixtures("eager")
def test_what_nobody_agrees_with_changes_nothing() -> None:
    refused = small_learner("pmda", transforms_on_probation=True, agreement=1.0)
    as_it_is = small_learner("plain")
    assert train(refused, 3)["weight_transformed"] == 0.0
    train(as_it_is, 3)
    for key, value in weights_of(as_it_is).items():
        # One pass over both groups rounds otherwise than one over the real examples.
        np.testing.assert_allclose(weights_of(refused)[key], value, atol=1e-7, err_msg=key)


@pytest.mark.parametrize("name", ["plain", "pseudo"])
def test_pseudo_labels_alone_have_no_judge_but_their_gate(name: str) -> None:
    with pytest.raises(ConfigError, match=r"--option agreement is 0\.9, but this learner has no"):
        small_learner(name, pseudo_weight=1.0, agreement=0.9)
    # Their gradient may be weighed all the same.
    small_learner(name, pseudo_weight=1.0, gradient_similarity="weighted")


def test_in_features_transforms_on_probation_need_views() -> None:
    options = {"transforms": "standard", "transforms_on_probation": True}
    assert small_learner("plain", "mlp", (12,), **options).needs_views
    assert not small_learner("plain", "mlp", (12,), transforms="standard").needs_views
    assert not small_learner("plain", **options).needs_views


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ["acgan", "vaeacgan"])
def test_generated_examples_that_nobody_agrees_with_do_not_reach_the_classifier(name: str) -> None:
    refused = small_learner(name, warmup_steps=0, agreement=1.0)
    without = small_learner(name, warmup_steps=0, generated_weight=0.0)
    means = train(refused, 3)
    assert means["weight_generated"] == 0.0
    assert means["weight_warmup"] == pytest.approx(1 / 3)  # its weight is 0, 0 and 1
    train(without, 3)
    for key, value in weights_of(without).items():
        np.testing.assert_allclose(weights_of(refused)[key], value, atol=1e-6, err_msg=key)


def test_the_trunk_is_weighed_with_the_head_at_its_own_rate() -> None:
    both = make("pmda"), make("pmda", trunk_learning_rate=1e-2)
    steps = []
    for learner in both:
        assert learner.facts() == {"weight_transformed": 0.0}
        learner.compile({name: keras.optimizers.SGD(0.1) for name in learner.optimizers})
        train(learner, 1)
        steps.append(weights_of(learner))
    for key, value in steps[0].items():
        np.testing.assert_allclose(steps[1][key], value, atol=1e-6, err_msg=key)


def test_plain_options_are_enough() -> None:
    classifier = CLASSIFIERS.get("lenet")((8, 8, 1), 10)
    assert Plain(classifier, Options(learning_rate=0.5)).options.learning_rate == 0.5


def test_a_run_records_how_far_each_group_counted(tmp_path: Path) -> None:
    data = Dataset.from_arrays(
        IMAGES, LABELS, test_examples=POOL, test_labels=some_labels(50),
        class_names=[*"abcdefghij"],
    )  # fmt: skip
    plan = Plan(
        rounds=1, query_size=4, initial_size=20, candidates=0, mc_samples=2, steps=3, batch_size=10
    )
    loop = ActiveLearner(make("acgan"), "random", data, folder=tmp_path, plan=plan)
    assert loop.run()
    found = [record["facts"] for record in loop.journal.finished()]
    names = {"weight_generated", "weight_transformed", "weight_warmup"}
    assert all(names <= {*facts} for facts in found)
    assert found[0] != found[1]
    assert loop.learner.facts().items() <= found[1].items()
