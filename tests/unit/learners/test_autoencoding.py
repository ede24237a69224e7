"""What x' is compared in, drawn from and moved to: each option does what it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.learners.ascent import ascend, mutual_information
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.information import InformationOptions
from bgadl_tf.learners.similarity import reconstruction_error
from bgadl_tf.learners.vaeacgan import VAEACGAN
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.further import NAME
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.encoder import Posterior
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import small_learner

IMAGES, LABELS = some_images(12), some_labels(12)
PIXELS = tf.constant(IMAGES, tf.float32) / 255.0
VECTORS = some_vectors(12)


def make(classifier: str = "lenet", **options: object) -> VAEACGAN:
    """A learner whose steps are its gradients."""
    shape = (12,) if classifier == "mlp" else (8, 8, 1)
    learner = small_learner("vaeacgan", classifier, shape, warmup_steps=0, **options)
    assert isinstance(learner, VAEACGAN)
    learner.compile({network: keras.optimizers.SGD(1.0) for network in learner.networks})
    learner.optimizers["generator"].iterations.assign(10)
    return learner


def moved(learner: VAEACGAN) -> dict[str, list[np.ndarray]]:
    """What one step adds to every trainable weight, by network."""
    nets = learner.networks.items()
    before = {name: [w.numpy() for w in net.trainable_variables] for name, net in nets}
    examples = IMAGES if len(learner.space.shape) == 3 else VECTORS
    learner.train_step(Batch(tf.constant(examples), tf.constant(LABELS)))
    return {
        name: [
            w.numpy() - old for w, old in zip(net.trainable_variables, before[name], strict=True)
        ]
        for name, net in nets
    }


@pytest.mark.parametrize("option", [
    {"reconstruction": "pixels"}, {"posterior": "mode"}, {"prior": "mixture"},
    {"feature_weight": 0.0}, {"free_bits": -1.0}, {"ascent_steps": -1}, {"ascent_radius": 0.0},
    {"ascent_passes": 1},
])  # fmt: skip
def test_impossible_options_are_refused(option: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"--option {next(iter(option))} is "):
        InformationOptions(**option)


def test_there_is_nothing_to_climb_without_dropout() -> None:
    with pytest.raises(ConfigError, match="ascent_steps is 3, and without dropout"):
        small_learner("vaeacgan", dropout=0.0, ascent_steps=3)


@pytest.mark.parametrize("classifier", ["lenet", "mlp"])
def test_errors_in_hidden_features_reach_g_and_e_but_not_d(classifier: str) -> None:
    plain, learnt = (
        moved(make(classifier, reconstruction=r)) for r in ("examples", "discriminator")
    )
    for ours, theirs in zip(plain["discriminator"], learnt["discriminator"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for network in ("generator", "encoder"):
        pairs = zip(plain[network], learnt[network], strict=True)
        assert any(np.abs(ours - theirs).max() > 1e-4 for ours, theirs in pairs)


def test_errors_are_of_the_order_of_the_values_and_add_up() -> None:
    learner, other = make(), tf.reverse(PIXELS, [0])
    examples, features, both = (
        reconstruction_error(
            InformationOptions(reconstruction=kind, feature_weight=0.5),
            learner.discriminator, PIXELS, other,
        )
        for kind in ("examples", "discriminator", "both")
    )  # fmt: skip
    np.testing.assert_allclose(both, examples + features, rtol=1e-5)
    hidden = [learner.discriminator.trunk.maps(one).numpy() for one in (PIXELS, other)]
    mean = np.square(hidden[0] - hidden[1]).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(features, 0.5 * 64 * mean, rtol=1e-4)
    np.testing.assert_array_equal(
        reconstruction_error(learner.options, learner.discriminator, PIXELS, PIXELS), 0
    )


def test_the_mean_of_the_posterior_is_no_draw() -> None:
    for posterior, same in (("sample", False), ("mean", True)):
        learner = make(posterior=posterior)
        one, other = (learner.augment(IMAGES, LABELS, (0, seed)).numpy() for seed in (1, 2))
        assert np.array_equal(one, other) is same


def test_the_prior_of_a_class_is_where_its_latents_cost_nothing() -> None:
    learner = make(prior="class")
    assert learner.prior is not None
    learner.prior.means.kernel.assign(np.random.default_rng(0).normal(size=(10, 5)))
    at_prior = Posterior(learner.prior(LABELS), tf.zeros((12, 5)))
    np.testing.assert_allclose(learner.divergence(at_prior, LABELS), 0, atol=1e-6)
    assert (learner.divergence(at_prior, (LABELS + 1) % 10).numpy() > 0.1).all()
    np.testing.assert_allclose(learner.from_prior(tf.zeros((12, 5)), LABELS), at_prior.mean)
    # The means go to where E puts their classes, and E to where they are.
    moves = moved(learner)
    present = np.isin(np.arange(10), LABELS)
    assert (np.abs(moves["prior"][0]).max(1) > 0).tolist() == present.tolist()


def test_a_prior_joins_the_turn_of_the_encoder() -> None:
    learner = small_learner("vaeacgan-alternating", prior="class", warmup_steps=0)
    learner.fit(IMAGES, LABELS, batch_size=12, verbose=0)
    learner.fit(IMAGES, LABELS, batch_size=12, verbose=0)  # E's means are not 0 any more
    assert np.abs(learner.networks["prior"].get_weights()[0]).max() > 0


@pytest.mark.parametrize("classifier", ["lenet", "mlp"])
def test_ascent_raises_bald_within_the_radius_and_keeps_labels(classifier: str) -> None:
    learner = make(classifier)
    latents = tf.random.stateless_normal((12, 5), (1, 2))
    masks = learner.classifier.head.mc_masks(tf.constant([3, 4]), 8)

    def look(at: tf.Tensor, labels: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
        features = learner.classifier.features(learner.generator((at, labels)))
        log_probs = learner.classifier.head.mc_log_probs(features, masks)
        voted = tf.argmax(tf.reduce_mean(tf.exp(log_probs), 0), 1)
        return mutual_information(log_probs).numpy(), voted.numpy()

    # Labels that C gives what G makes of them, as far as there are any; others stay where they are.
    labels = tf.constant([0] * 6 + [1] * 6)
    for _ in range(3):
        labels = tf.cast(look(latents, labels)[1], tf.int32)
    before, _ = look(latents, labels)
    found = ascend(learner.classifier, learner.generator, latents, labels, masks, 4, 0.5)
    after, voted = look(found.latents, labels)
    distance = np.linalg.norm(found.latents - latents, axis=1)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.bald, after, atol=1e-6)
    assert (distance <= 0.5 + 1e-5).all()
    assert (after >= before - 1e-6).all()
    gone = distance > 0
    assert gone.any()
    assert (after[gone] > before[gone]).all()
    np.testing.assert_array_equal(voted[gone], labels.numpy()[gone])


def test_a_round_measures_x_double_prime_under_the_same_masks() -> None:
    plan = Plan(
        rounds=1, query_size=5, initial_size=20, candidates=60, mc_samples=5, steps=5, batch_size=20
    )
    digits = load_dataset("digits")
    facts = []
    for steps in (0, 2):
        learner = small_learner("vaeacgan", ascent_steps=steps, posterior="mean")
        loop = ActiveLearner(learner, "bald", digits, plan=plan)
        records = []
        while not loop.finished:
            record = loop.step()
            assert record is not None
            records.append(record)
        facts.append(records[1].facts)
    assert {*facts[1]} - {*facts[0]} == {"bald_ascended", "ascended_distance"}
    kept = loop.journal.kept(1, NAME)
    assert kept is not None
    assert kept["fact_bald_ascended"].shape == kept["fact_ascended_distance"].shape == (5,)
    assert (kept["fact_ascended_distance"] <= learner.options.ascent_radius + 1e-5).all()
