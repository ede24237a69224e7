"""What the generative learners do with the pool, with a new generator, and from round to round."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.adversarial import AdversarialLearner, AdversarialOptions
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.vaeacgan import VAEACGANOptions
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner, weights_of

IMAGES, LABELS = some_images(20), some_labels(20)


def make(name: str, **options: object) -> AdversarialLearner:
    learner = small_learner(name, **options)
    assert isinstance(learner, AdversarialLearner)
    return learner


def train(
    learner: AdversarialLearner, pool: np.ndarray | None, steps: int = 2
) -> dict[str, np.ndarray]:
    Trainer(learner, learner.space, tf.distribute.get_strategy(), 10).train(
        IMAGES, LABELS, (1, 2), steps, unlabelled=pool
    )
    return weights_of(learner)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ["acgan", "vaeacgan"])
def test_only_a_learner_that_uses_the_pool_depends_on_it(name: str) -> None:
    pools = some_images(30, seed=1), some_images(30, seed=2)
    for unlabelled in (True, False):
        one, other = (train(make(name, unlabelled=unlabelled), pool) for pool in pools)
        same = {key: np.array_equal(one[key], other[key]) for key in one}
        assert all(same.values()) is not unlabelled
    empty, labelled = (train(make(name), pool) for pool in (None, IMAGES))
    for key, value in empty.items():
        np.testing.assert_array_equal(value, labelled[key], err_msg=key)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", ["acgan", "vaeacgan"])
def test_images_of_a_new_generator_do_not_reach_the_classifier(name: str) -> None:
    gated = make(name, warmup_steps=100)
    without = make(name, generated_weight=0.0)
    eager = make(name, warmup_steps=0)
    for weight, steps in ((gated, 0), (gated, 100), (without, 0)):
        weight.optimizers["generator"].iterations.assign(steps)
        assert float(weight.generated_weight()) == 0.0
    gated.optimizers["generator"].iterations.assign(150)
    assert float(gated.generated_weight()) == pytest.approx(0.5)
    gated.optimizers["generator"].iterations.assign(10_000)
    assert float(gated.generated_weight()) == pytest.approx(1.0)
    gated.optimizers["generator"].iterations.assign(0)
    weights = [train(learner, None, steps=3) for learner in (gated, without, eager)]
    for key in weights[0]:
        if key.startswith("classifier"):
            np.testing.assert_array_equal(weights[0][key], weights[1][key])
    assert any(
        not np.array_equal(weights[0][key], weights[2][key])
        for key in weights[0]
        if key.startswith("classifier")
    )


@pytest.mark.parametrize("name", ["acgan", "vaeacgan"])
def test_generative_networks_co_evolve_unless_told_otherwise(name: str) -> None:
    generative = {*make(name).networks} - {"classifier"}
    assert make(name).resets(warm_start=False) == ("classifier",)
    assert make(name).resets(warm_start=True) == ()
    assert {*make(name, co_evolve=False).resets(warm_start=True)} == generative


@pytest.mark.usefixtures("eager")
def test_each_objective_moves_its_own_network_alone() -> None:
    learner = make("vaeacgan", warmup_steps=0)
    before = weights_of(learner)
    for frozen in learner.networks:
        learner.optimizers[frozen].learning_rate.assign(0.0)
        after = train(learner, None, steps=1)
        trained = [w.path for w in learner.networks[frozen].trainable_weights]
        for number, weight in enumerate(learner.networks[frozen].weights):
            if weight.path in trained:
                np.testing.assert_array_equal(before[f"{frozen}/{number}"], weight.numpy())
        learner.optimizers[frozen].learning_rate.assign(0.001)
        before = after


def test_the_distance_of_x_prime_falls_as_encoder_and_generator_train() -> None:
    # Fig. 3 of the paper; a squashed bottleneck (methods, fault 6) would only give class means.
    learner = make("vaeacgan", width=0.25, latent_dim=20)
    images = np.zeros((20, 8, 8, 1), np.uint8)
    images[np.arange(20), np.arange(20) % 8, :, :] = 255  # eight different bars

    def distance() -> float:
        generated = learner.augment(images, LABELS, (1, 2)).numpy() / 255.0
        return float(np.sqrt(np.square(generated - images / 255.0).sum(axis=(1, 2, 3))).mean())

    trainer = Trainer(learner, learner.space, tf.distribute.get_strategy(), 20)
    start = distance()
    trainer.train(images, LABELS, (1, 2), 150)
    middle = distance()
    trainer.train(images, LABELS, (1, 2), 400, first_step=150)
    assert distance() < middle < start
    assert distance() < 0.6 * start


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="latent_dim is 0; must be positive"):
        AdversarialOptions(latent_dim=0)
    with pytest.raises(ConfigError, match=r"generative_beta_1 is 1; must be in \[0, 1\)"):
        AdversarialOptions(generative_beta_1=1)
    with pytest.raises(ConfigError, match="warmup_steps is -1; must be at least 0"):
        AdversarialOptions(warmup_steps=-1)
    with pytest.raises(ConfigError, match=r"reconstruction_weight is 0\.0; must be positive"):
        VAEACGANOptions(reconstruction_weight=0.0)
    with pytest.raises(ConfigError, match=r"kl_weight is -1\.0; must be at least 0"):
        VAEACGANOptions(kl_weight=-1.0)
    with pytest.raises(ConfigError, match="width is 0"):
        VAEACGANOptions(width=0.0)


@pytest.mark.parametrize(
    "option",
    [
        {"agreement": 0.5},
        {"gradient_similarity": "weighted"},
        {"pseudo_weight": 1.0},
        {"warmup": "evidence"},
    ],
    ids=str,
)
def test_what_joins_the_labelled_set_cannot_be_on_probation(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(ConfigError, match=f"{name} is .*with keep_generated=true, which takes"):
        AdversarialOptions(keep_generated=True, **option)


@pytest.mark.parametrize("on_probation", [False, True])
def test_labelled_examples_that_stand_in_for_the_pool_stay_where_transforms_are_on_probation(
    on_probation: bool,
) -> None:
    learner = small_learner(
        "vaeacgan", unlabelled=False, transforms="shift", transforms_on_probation=on_probation
    )
    batch = learner.unpack(Batch(tf.constant(some_images(8)), tf.constant(some_labels(8))))
    changed = learner.prepared(batch, tf.constant((1, 2)))
    assert np.array_equal(changed.unlabelled, batch.examples) is on_probation


@pytest.mark.parametrize(("classifier", "shape", "steps"), [
    ("lenet", (8, 8, 1), 500), ("mlp", (12,), 100),
])  # fmt: skip
def test_the_warm_up_is_that_of_the_space(
    classifier: str, shape: tuple[int, ...], steps: int
) -> None:
    learner = small_learner("vaeacgan", classifier, shape)
    assert isinstance(learner.options, AdversarialOptions)
    assert learner.options.warmup_steps == steps
    again = type(learner).from_config(learner.get_config())
    assert again.options == learner.options
    asked = small_learner("vaeacgan", classifier, shape, warmup_steps=7).options
    assert isinstance(asked, AdversarialOptions)
    assert asked.warmup_steps == 7
    # A run that goes on keeps what it was begun with.
    options, space = AdversarialOptions(), learner.space
    assert options.for_space(space, {"warmup_steps": 300}).warmup_steps == 300
    assert options.for_space(space, {"width": 2.0}).warmup_steps == steps
