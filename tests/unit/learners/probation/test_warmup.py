"""The weight of generated examples that grows by evidence."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.types import Shape
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.probation import evidence
from bgadl_tf.learners.probation.warmup import WarmUpLearner
from bgadl_tf.learners.running_means import MEMORY, RunningMeans
from tests.support.examples import some_images, some_labels
from tests.support.learners import reseed, small_learner

RECONSTRUCTS = (*evidence.MISTAKES, *evidence.RECONSTRUCTION)


def after(steps: int, names: tuple[str, ...] = RECONSTRUCTS, **values: float) -> float:
    means = RunningMeans(names)
    for _ in range(steps):
        means.add({name: tf.constant(values[name]) for name in names})
    return float(evidence.ramp(means))


def test_running_means() -> None:
    means = RunningMeans(("a", "b"))
    assert float(means.mean("a")) == 0.0
    found = []
    for value in (1.0, 3.0):
        means.add({"a": tf.constant(value), "b": tf.constant(2.0)})
        found.append((float(means.mean("a")), float(means.mean("b"))))
    np.testing.assert_allclose(found[0], (1.0, 2.0), rtol=1e-4)
    np.testing.assert_allclose(found[1], ((MEMORY + 3.0) / (MEMORY + 1.0), 2.0), rtol=1e-4)
    assert float(means.grown_from_zero("b")) == pytest.approx(2.0 * (1 - MEMORY**2), rel=1e-3)
    means.clear()
    assert float(means.mean("b")) == 0.0


def test_the_ramp_is_monotone_and_needs_evidence() -> None:
    good = {"mistakes": 0.3, "error": 2.0, "spread": 8.0}
    assert after(0, **good) == 0.0
    assert after(2000, **good) == pytest.approx(0.75 * 0.6, rel=1e-3)
    assert after(50, **good) < after(200, **good) < after(2000, **good)
    assert after(2000, **{**good, "error": 4.0}) < after(2000, **good)
    assert after(2000, **{**good, "mistakes": 0.2}) < after(2000, **good)
    assert after(2000, **{**good, "mistakes": 0.9}) == pytest.approx(0.75, rel=1e-3)
    assert after(50, **{**good, "error": 9.0}) == 0.0
    assert after(2000, evidence.MISTAKES, mistakes=0.25) == pytest.approx(0.5, rel=1e-3)


def test_mistakes_and_spread() -> None:
    logits = {"real": tf.constant([2.0, -1.0]), "one": tf.constant([0.5, 0.0]),
              "two": tf.constant([-3.0, 1.0])}  # fmt: skip
    found = evidence.mistakes(
        tf.nn.softplus(-logits["real"]), {n: tf.nn.softplus(logits[n]) for n in ("one", "two")}
    )
    d = {name: tf.sigmoid(values).numpy() for name, values in logits.items()}
    wrong = 0.5 * (1 - d["real"]).mean() + 0.25 * (d["one"].mean() + d["two"].mean())
    assert float(found) == pytest.approx(wrong, rel=1e-5)
    x = np.random.default_rng(0).normal(size=(6, 3, 3, 1)).astype(np.float32)
    assert float(evidence.spread(tf.constant(x))) == pytest.approx(
        np.square(x - x.mean(0)).sum((1, 2, 3)).mean(), rel=1e-5
    )


def make(name: str, **options: object) -> WarmUpLearner:
    learner = small_learner(name, warmup="evidence", **options)
    assert isinstance(learner, WarmUpLearner)
    return learner


@pytest.mark.parametrize(("name", "kept"), [("acgan", ("mistakes",)), ("vaeacgan", RECONSTRUCTS)])
def test_steps_bring_evidence_and_the_weight_follows(name: str, kept: tuple[str, ...]) -> None:
    learner = make(name, generated_weight=2.0)
    assert learner.evidence.names == kept
    assert float(learner.generated_weight()) == 0.0
    Trainer(learner, learner.space, tf.distribute.get_strategy(), 10).train(
        some_images(20), some_labels(20), (1, 2), 3
    )
    assert 0.3 < float(learner.evidence.mean("mistakes")) < 0.7
    assert float(learner.generated_weight()) == 2.0 * float(evidence.ramp(learner.evidence))
    assert float(learner.facts()["weight_warmup"]) <= float(learner.warmup())
    reseed(learner)
    assert float(learner.evidence.mean("mistakes")) == 0.0
    assert learner.facts()["weight_warmup"] == 0.0


def test_evidence_about_a_generator_goes_with_it() -> None:
    assert "evidence" in make("acgan", co_evolve=False).resets()
    assert "evidence" not in make("acgan").resets()
    assert "evidence" in make("acgan").saved_networks
    assert "evidence" not in small_learner("acgan").saved_networks


@pytest.mark.parametrize(
    ("classifier", "shape", "kind"),
    [("lenet", (8, 8, 1), "evidence"), ("mlp", (12,), "steps")],
)
def test_auto_is_evidence_of_images_and_steps_of_vectors(
    classifier: str, shape: Shape, kind: str
) -> None:
    assert small_learner("vaeacgan", classifier, shape, warmup="auto").options.warmup == kind
