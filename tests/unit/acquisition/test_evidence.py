"""Evidence is what plain computation gives, and what nobody looks at is not computed."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.core.types import Examples, Shape
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.learner import Learner
from bgadl_tf.models import noise
from bgadl_tf.models.classifiers.base import Classifier
from bgadl_tf.models.mc_dropout import StochasticHead
from tests.support.examples import some_images, some_vectors
from tests.support.learners import small_learner

CASES = {
    "lenet": ((8, 8, 1), some_images(13)),
    "gal_cnn": ((8, 8, 1), some_images(13)),
    "resnet18": ((8, 8, 1), some_images(13)),
    "mlp": ((12,), some_vectors(13)),
}
SEED, PASSES = 9, 23


def plain(learner: Learner, examples: Examples) -> dict[str, np.ndarray]:
    """Everything, by the networks' own layers and in float64 where it is sums."""
    head = learner.classifier.head
    scale = 255.0 if examples.dtype == np.uint8 else 1.0
    inputs = examples.astype(np.float32) / scale
    features = learner.classifier.features(tf.constant(inputs))
    hidden = features
    for stage in head.stages[:-1]:
        hidden = tf.nn.relu(hidden @ stage.kernel + stage.bias)
    masks = head.mc_masks(noise.pair(tf.constant(SEED, tf.int64)), PASSES)
    passes = np.stack([
        head(features, masks=[mask[k : k + 1] for mask in masks]) for k in range(PASSES)
    ])  # fmt: skip
    probs = np.exp(passes.astype(np.float64))
    return {
        "examples": examples,
        "inputs": inputs,
        "features": features.numpy(),
        "penultimate": hidden.numpy(),
        "log_probs": tf.nn.log_softmax(hidden @ head.stages[-1].kernel + head.stages[-1].bias),
        "passes": passes.transpose(1, 0, 2),
        "mean_probs": probs.mean(0),
        "std_probs": probs.std(0),
        "expected_entropy": -(probs * np.log(probs)).sum(2).mean(0),
    }


def everything(evidence: Evidence) -> tuple[tf.Tensor, ...]:
    return (
        evidence.examples,
        evidence.inputs,
        evidence.features,
        evidence.penultimate,
        evidence.log_probs,
        tf.transpose(evidence.passes, (1, 0, 2)),
        evidence.moments.mean_probs,
        evidence.moments.std_probs,
        evidence.moments.expected_entropy,
    )


@pytest.mark.parametrize(("classifier", "case"), CASES.items(), ids=CASES)
def test_it_is_what_plain_computation_gives(
    classifier: str, case: tuple[Shape, Examples], one_device: tf.distribute.Strategy
) -> None:
    shape, examples = case
    learner = small_learner("plain", classifier, shape)
    scorer = Scorer(learner, one_device, PASSES, chunk=5)
    parts = [*scorer.look(examples, SEED, everything)]
    assert scorer.score_traces == 1
    for (name, expected), found in zip(
        plain(learner, examples).items(), zip(*parts, strict=True), strict=True
    ):
        whole = np.concatenate(found)
        assert whole.dtype == (examples.dtype if name == "examples" else np.float32), name
        np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each part of a classifier is put into a graph."""
    counted: Counter[str] = Counter()

    def watch(owner: Any, method: str, name: str) -> None:
        original = getattr(owner, method)

        # Keras reads the names of the arguments.
        @functools.wraps(original)
        def counting(self: Any, *values: Any, **named: Any) -> Any:
            counted[name] += 1
            return original(self, *values, **named)

        monkeypatch.setattr(owner, method, counting)

    watch(StochasticHead, "call", "head")
    watch(StochasticHead, "mc_log_probs", "passes")
    watch(StochasticHead, "penultimate", "penultimate")
    return counted


LOOKS: dict[str, tuple[Callable[[Evidence], tf.Tensor], set[str]]] = {
    "examples": (lambda e: e.examples, set()),
    "features": (lambda e: e.features, {"trunk"}),
    "penultimate": (lambda e: e.penultimate, {"trunk", "penultimate"}),
    "log_probs": (lambda e: e.log_probs, {"trunk", "head"}),
    "moments": (lambda e: e.moments.mean_probs, {"trunk", "passes"}),
    "passes": (lambda e: tf.transpose(e.passes, (1, 0, 2)), {"trunk", "passes"}),
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_nobody_looks_at_is_not_computed(
    name: str,
    calls: Counter[str],
    one_device: tf.distribute.Strategy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner = small_learner("plain")
    kind: type[Classifier] = type(learner.classifier)
    features = kind.features

    def counting(self: Classifier, *values: Any, **named: Any) -> tf.Tensor:
        calls["trunk"] += 1
        return features(self, *values, **named)

    monkeypatch.setattr(kind, "features", counting)
    calls.clear()
    look, expected = LOOKS[name]
    for _ in Scorer(learner, one_device, 5, chunk=13).look(some_images(13), SEED, look):
        pass
    assert {part for part, count in calls.items() if count} == expected
    assert calls["trunk"] <= 1


def test_what_is_looked_at_twice_is_computed_once(
    calls: Counter[str], one_device: tf.distribute.Strategy
) -> None:
    learner = small_learner("plain")
    calls.clear()
    looked = Scorer(learner, one_device, 5).look(
        some_images(13), SEED, lambda e: (e.log_probs, e.log_probs, e.moments[0], e.moments[1])
    )
    assert len(next(looked)) == 4
    assert (calls["head"], calls["passes"]) == (1, 1)
