"""Controls of generation: what further examples are, and how much they count."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.learners.augmented import AugmentedLearner, AugmentedOptions
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.controls import NoiseOptions, standard_deviation
from bgadl_tf.models.losses import cross_entropy
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import small_learner

CONTROLS = ["duplicate", "noise", "two_views"]
SEED = tf.constant([3, 4])


def control(name: str, shape: tuple[int, ...] = (8, 8, 1), **options: object) -> AugmentedLearner:
    learner = small_learner(name, "mlp" if len(shape) == 1 else "lenet", shape, 0.0, **options)
    assert isinstance(learner, AugmentedLearner)
    return learner


def batch_of(learner: AugmentedLearner, count: int = 40) -> Batch:
    vectors = len(learner.space.shape) == 1
    examples = some_vectors(count) if vectors else some_images(count)
    views = np.stack([examples + 10.0, examples + 20.0], 1) if vectors else None
    return learner.unpack(Batch(examples, some_labels(count), views=views))


@pytest.mark.parametrize("shape", [(8, 8, 1), (12,)])
@pytest.mark.parametrize("name", CONTROLS)
def test_there_are_two_further_examples_of_each(name: str, shape: tuple[int, ...]) -> None:
    learner = control(name, shape)
    batch = batch_of(learner)
    groups = [*learner.made_of(batch, SEED).values()]
    assert [group.shape for group in groups] == [batch.examples.shape] * 2
    again = [*learner.made_of(batch, SEED).values()]
    for group, same in zip(groups, again, strict=True):
        np.testing.assert_array_equal(group, same)
    alike = np.array_equal(*groups)
    assert alike is (name == "duplicate")
    if alike:
        np.testing.assert_array_equal(groups[0], batch.examples)


@pytest.mark.parametrize("weight", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("name", CONTROLS)
def test_the_objective(name: str, weight: float) -> None:
    learner = control(name, further_weight=weight)
    batch = batch_of(learner, 6)
    log_probs = learner.classifier(batch.examples)
    real = float(tf.reduce_mean(cross_entropy(log_probs, batch.labels)))
    means = learner.train_step(batch)
    assert float(means["classification"]) == pytest.approx(real, rel=1e-5)
    further = sum(float(means[f"classification_{group}"]) for group in ("first", "second")) / 2
    assert float(means["loss"]) == pytest.approx(real + weight * further, rel=1e-5)
    if name == "duplicate":
        assert further == pytest.approx(real, rel=1e-5)


def test_duplicates_without_dropout_are_a_larger_weight() -> None:
    learners = [control("duplicate"), control("duplicate", further_weight=0.0)]
    for learner, weight in zip(learners, (None, 2.0), strict=True):
        learner.compile("sgd")
        given = batch_of(learner, 6)
        weights = None if weight is None else tf.fill((6,), weight)
        learner.train_step(given._replace(weights=weights))
    for mine, theirs in zip(*(one.classifier.get_weights() for one in learners), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_noise_has_the_size_that_is_asked_for() -> None:
    learner = control("noise", (12,), noise_scale=0.5)
    vectors = some_vectors(4000) * np.linspace(0.0, 5.0, 12, dtype=np.float32)
    batch = learner.unpack(Batch(vectors, some_labels(4000)))
    for group in learner.made_of(batch, SEED).values():
        added = np.asarray(group - batch.examples)
        np.testing.assert_allclose(added.std(0), 0.5 * vectors.std(0), rtol=0.06, atol=1e-6)
        np.testing.assert_allclose(added.mean(0) / (vectors.std(0) + 1), 0, atol=0.04)
    assert not np.asarray(group - batch.examples)[:, 0].any()  # what never changes has no noise


def test_noisy_images_are_images() -> None:
    learner = control("noise", noise_scale=3.0)
    group = learner.made_of(batch_of(learner), SEED)["first"].numpy()
    assert (group.min(), group.max()) == (0.0, 1.0)
    still = control("noise", noise_scale=0.0)
    batch = batch_of(still)
    np.testing.assert_array_equal(still.made_of(batch, SEED)["first"], batch.examples)


def test_standard_deviations_far_from_zero() -> None:
    values = np.random.default_rng(0).normal(1000.0, 0.1, (500, 3)).astype(np.float32)
    np.testing.assert_allclose(standard_deviation(values)[0], values.std(0), rtol=1e-3)


def test_replicas_share_the_standard_deviation(mirrored: tf.distribute.Strategy) -> None:
    values = tf.constant(some_vectors(20))

    def share() -> tf.Tensor:
        place = tf.distribute.get_replica_context().replica_id_in_sync_group
        return standard_deviation(values[place * 10 : place * 10 + 10])

    found = mirrored.experimental_local_results(tf.function(lambda: mirrored.run(share))())
    for each in found:
        np.testing.assert_allclose(each[0], some_vectors(20).std(0), rtol=1e-5)


def test_two_views_are_views_and_the_example_stays() -> None:
    learner = control("two_views", (12,))
    batch = batch_of(learner, 300)
    assert learner.needs_views
    np.testing.assert_array_equal(learner.prepared(batch, SEED).examples, batch.examples)
    drawn = [
        np.asarray((group - batch.examples)[:, 0] / 10.0).round()
        for group in learner.made_of(batch, SEED).values()
    ]
    for each in drawn:
        assert set(each) == {0.0, 1.0, 2.0}
    assert 0.2 < (drawn[0] == drawn[1]).mean() < 0.5  # a third, where they are independent
    assert not control("two_views").needs_views


def test_of_more_forms_only_the_first_is_the_example_itself() -> None:
    learner = control("two_views", batch_augmentation=3)
    batch = batch_of(learner)
    changed = learner.prepared(batch, SEED)
    np.testing.assert_array_equal(changed.examples, batch.examples)
    assert len(changed.forms) == 2
    seen = [np.asarray(form) for form in (changed.examples, *changed.forms)]
    for number, form in enumerate(seen):
        assert not any(np.array_equal(form, other) for other in seen[:number])


def test_transforms_are_those_of_every_learner() -> None:
    learner = control("duplicate", transforms="shift", shift=0.5)
    given = batch_of(learner)
    moved = learner.prepared(given, SEED)
    assert not np.array_equal(moved.examples, given.examples)
    with pytest.raises(ConfigError, match="learns from two transforms of every example"):
        control("two_views", transforms="none")


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"further_weight is -1\.0; must be at least 0"):
        AugmentedOptions(further_weight=-1.0)
    with pytest.raises(ConfigError, match=r"noise_scale is -0\.5; must be at least 0"):
        NoiseOptions(noise_scale=-0.5)
