"""Of which examples what is generated counts more, by hand and through the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.load import load_dataset
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners import emphasis
from bgadl_tf.learners.acgan import ACGAN
from bgadl_tf.learners.adversarial import AdversarialOptions
from bgadl_tf.learners.batch import Batch
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from tests.support.examples import some_images, some_labels
from tests.support.learners import small_learner

NAN = float("nan")
GENERATIVE = ["acgan", "vaeacgan", "vaeacgan-alternating"]


@pytest.mark.parametrize(
    ("kind", "labels", "scores", "expected"),
    [
        ("uniform", [0, 0, 1], [1, 2, 3], [1, 1, 1]),
        # 1/3, 1/3, 1/3, 1 add up to 2, on average 1/2.
        ("balanced", [5, 5, 5, 2], [1, 2, 3, 4], [2 / 3, 2 / 3, 2 / 3, 2]),
        ("balanced", [], [], []),
        ("informative", [0, 0, 0], [0.1, 0.2, 0.3], [0.5, 1, 1.5]),
        ("informative", [0, 0, 0, 0], [NAN, 1, NAN, 3], [1, 0.5, 1, 1.5]),
        ("informative", [0, 0, 0], [-3, -2, -1], [0, 1, 2]),
        ("informative", [0, 0, 0], [-2, NAN, -2], [1, 1, 1]),
        ("informative", [0, 0], [0, 0], [1, 1]),
        ("informative", [0, 0], [NAN, NAN], [1, 1]),
        ("informative", [0, 0], [float("inf"), 2], [1, 1]),
    ],
)
def test_weights(kind: str, labels: list[int], scores: list[float], expected: list[float]) -> None:
    found = emphasis.emphasis(kind, np.array(labels, np.int32), np.array(scores, np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(ConfigError, match="generate_for is rare; must be one of uniform"):
        AdversarialOptions(generate_for="rare")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", GENERATIVE)
def test_terms_of_what_is_generated_are_multiplied(name: str) -> None:
    learner = small_learner(name, dropout=0.0, generate_for="balanced", warmup_steps=0)
    batch = Batch(tf.constant(some_images(6)), tf.constant(some_labels(6)))
    found = {}
    for factor in (None, 1.0, 3.0):
        learner = small_learner(name, dropout=0.0, generate_for="balanced", warmup_steps=0)
        given = None if factor is None else tf.fill((6,), factor)
        found[factor] = {
            key: float(value)
            for key, value in learner.train_step(batch._replace(emphasis=given)).items()
        }
    generated = {"classification_generated", "classification_reconstructed"}
    for key, value in found[1.0].items():
        assert found[None][key] == pytest.approx(value)
        expected = value * (3 if key in generated else 1)
        if key != "loss" and name != "vaeacgan-alternating":
            assert found[3.0][key] == pytest.approx(expected, rel=1e-5), key
    assert found[3.0]["classification_generated"] > 2 * found[1.0]["classification_generated"]


def test_a_balanced_learner_is_trained_on_an_imbalanced_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[tuple[np.ndarray, np.ndarray]] = []
    prepared = ACGAN.prepared

    def listen(self: ACGAN, batch: Batch, seed: tf.Tensor) -> Batch:
        def hear(labels: Any, weights: Any) -> None:
            heard.append((labels.numpy(), weights.numpy()))

        tf.py_function(hear, [batch.labels, batch.emphasis], [])
        return prepared(self, batch, seed)

    monkeypatch.setattr(ACGAN, "prepared", tf.autograph.experimental.do_not_convert(listen))
    data = load_dataset("digits", imbalance="step", imbalance_ratio=5, tell=False)
    plan = Plan(
        rounds=1, query_size=10, initial_size=40, candidates=0, mc_samples=3, steps=3, batch_size=20
    )
    learner = small_learner("acgan", generate_for="balanced")
    loop = ActiveLearner(learner, "bald", data, plan=plan)
    assert loop.run()
    labelled = loop.training_set.labelled(1)[1]
    counts = np.bincount(labelled, minlength=10)
    assert counts.max() > counts.min()
    given = loop.training_set.given_to(learner, 1).emphasis
    np.testing.assert_allclose(given, 50 / (10 * counts[labelled]), rtol=1e-6)
    labels, weights = (np.concatenate(part) for part in zip(*heard[-3:], strict=True))
    np.testing.assert_allclose(weights, 50 / (10 * counts[labels]), rtol=1e-6)


def test_scores_of_queries_reach_the_learner() -> None:
    data = load_dataset("digits", tell=False)
    plan = Plan(
        rounds=2, query_size=5, initial_size=20, candidates=0, mc_samples=3, steps=2, batch_size=10
    )
    learner = small_learner("vaeacgan", generate_for="informative", keep_generated=True)
    loop = ActiveLearner(learner, "bald", data, plan=plan)
    assert loop.run()
    scores = loop.training_set.scores(2)
    assert np.isnan(scores[:20]).all()
    assert np.isfinite(scores[20:]).all()
    given = loop.training_set.given_to(learner, 2).emphasis
    assert given is not None
    np.testing.assert_allclose(given[:20], 1, rtol=1e-5)
    np.testing.assert_allclose(given[20:], scores[20:] / scores[20:].mean(), rtol=1e-5)


def test_scores_follow_an_example_to_its_name_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_dataset("digits", tell=False)
    plan = Plan(
        rounds=1, query_size=5, initial_size=20, candidates=0, mc_samples=3, steps=2, batch_size=10
    )
    loop = ActiveLearner(small_learner("plain"), "bald", data, plan=plan)
    assert loop.run()
    before = loop.training_set.scores(1)
    one, other, *_ = loop.labelling.pool.labelled_ids[-5:]
    swapped = {one: other, other: one}
    monkeypatch.setattr(loop.labelling, "now", lambda id_, starts: swapped.get(id_, id_))
    after = loop.training_set.scores(1)
    assert sorted(before[20:]) == sorted(after[20:])
    assert (before[20:] != after[20:]).sum() == 2


@pytest.mark.usefixtures("eager")
def test_without_emphasis_a_step_is_what_it_was(one_device: tf.distribute.Strategy) -> None:
    learners = [small_learner("acgan", generate_for=kind) for kind in ("uniform", "balanced")]
    assert [learner.uses_emphasis for learner in learners] == [False, True]
    for learner in learners:
        Trainer(learner, learner.space, one_device, 10).train(
            some_images(20), some_labels(20), (1, 2), 2, unlabelled=some_images(20)
        )
    one, other = (learner.classifier.get_weights() for learner in learners)
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs)
