"""The learner of DFAL: adversarial copies of the queried examples, under the oracle's labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.learners import dfal
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.dfal import DFALLearner, DFALOptions
from bgadl_tf.loop.active_learner import ActiveLearner
from bgadl_tf.loop.plan import Plan
from bgadl_tf.models.classifiers.base import CLASSIFIERS, Classifier
from bgadl_tf.models.mc_dropout import StochasticHead
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import small_learner, weights_of
from tests.support.pool_view import Linear


def worked() -> DFALLearner:
    """Of the linear classifier of methods 2.4."""
    classifier = Linear((2,), 3)
    kernel = np.array([[1, 0, -1], [0, 1, -1]])
    classifier.head.stages[0].set_weights([kernel, np.array([0, 0, 0.5])])
    return DFALLearner(classifier, DFALOptions())


@keras.saving.register_keras_serializable("tests")
class Brightness(Classifier):
    """Two classes of images: darker on average than 127.3 of 255, or brighter."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__(shape, classes, 0.0)
        self.head = StochasticHead(classes, (), (0.0,))
        self.build_for(shape)
        self.head.stages[0].set_weights([np.array([[0, 1]]), np.array([0, -127.3 / 255])])

    def features(self, examples: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_mean(tf.reshape(examples, (-1, 4)), 1, keepdims=True)


def test_the_worked_example() -> None:
    asked = Batch(np.array([(2, 1), (1, 3)], np.float32), np.array([2, 2], np.int32))
    further = worked().further(asked, (0, 0))
    assert further is not None
    np.testing.assert_allclose(further.examples, [(1.49, 1.51), (2.02, 1.98)], atol=1e-5)
    # The label is the oracle's, whatever C takes either of them for.
    assert further.labels.tolist() == [2, 2]
    assert further.joins
    np.testing.assert_allclose(
        further.facts["adversarial_distance"], [0.721249, 1.442498], atol=1e-5
    )
    assert further.facts["crossed"].tolist() == [1, 1]


def test_parts_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = small_learner("dfal", "mlp", (12,))
    asked = Batch(some_vectors(10), some_labels(10))
    whole = learner.further(asked, (0, 0))
    monkeypatch.setattr(dfal, "AT_ONCE", 4)
    parts = learner.further(asked, (0, 0))
    assert whole is not None
    assert parts is not None
    np.testing.assert_allclose(parts.examples, whole.examples, atol=1e-5)


def test_images_are_stored_as_they_will_be_seen() -> None:
    learner = small_learner("dfal")
    images = some_images(6)
    further = learner.further(Batch(images, some_labels(6)), (0, 0))
    assert further is not None
    assert further.examples.dtype == np.uint8
    assert further.examples.shape == images.shape
    difference = (further.examples.astype(float) - images) / 255
    lengths = np.linalg.norm(difference.reshape(6, -1), axis=1)
    np.testing.assert_allclose(further.facts["adversarial_distance"], lengths, atol=1e-5)
    predicted = [learner.predict(part, verbose=0).argmax(1) for part in (images, further.examples)]
    np.testing.assert_array_equal(further.facts["crossed"], predicted[0] != predicted[1])


def test_what_rounding_takes_away_is_doubled() -> None:
    # 127 is 0.3 grey levels away from the boundary: 0.306 more are rounded to nothing.
    learner = DFALLearner(Brightness((2, 2, 1), 2), DFALOptions(doublings=0))
    images = np.full((3, 2, 2, 1), 127, np.uint8)
    images[1], images[2, 0] = 120, 135
    asked = Batch(images, np.zeros(3, np.int32))
    lost = learner.further(asked, (0, 0))
    assert lost is not None
    doubled = DFALLearner(learner.classifier, DFALOptions()).further(asked, (0, 0))
    assert doubled is not None
    assert lost.facts["crossed"].mean() < 1
    assert doubled.facts["crossed"].tolist() == [1, 1, 1]
    # A change that survives stays as small as it is.
    kept = lost.facts["crossed"] > 0
    np.testing.assert_array_equal(doubled.examples[kept], lost.examples[kept])
    assert (doubled.facts["adversarial_distance"] < 0.2).all()


def test_saved_and_loaded_it_makes_the_same(tmp_path: Path) -> None:
    learner = small_learner("dfal", overshoot=0.5)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.saving.load_model(tmp_path / "learner.keras")
    assert loaded.options == learner.options
    for key, value in weights_of(learner).items():
        np.testing.assert_array_equal(value, weights_of(loaded)[key])
    asked = Batch(some_images(3), some_labels(3))
    np.testing.assert_array_equal(
        loaded.further(asked, (0, 0)).examples, learner.further(asked, (0, 0)).examples
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("deepfool_classes", 1, "deepfool_classes is 1; must be at least 2"),
        ("deepfool_steps", 0, "deepfool_steps is 0; must be at least 1"),
        ("overshoot", 0.0, r"overshoot is 0\.0; must be positive"),
        ("doublings", -1, "doublings is -1; must be at least 0"),
    ],
)
def test_impossible_options_are_refused(option: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DFALOptions(**{option: value})


def test_in_the_loop_copies_join_and_stay(one_device: tf.distribute.Strategy) -> None:
    rng = np.random.default_rng(0)
    examples = rng.normal(size=(60, 6)).astype(np.float32)
    labels = (np.arange(60) % 3).astype(np.int32)
    dataset = Dataset.from_arrays(
        examples, labels, test_examples=examples[:9], test_labels=labels[:9]
    )
    learner = DFALLearner.create(CLASSIFIERS.get("mlp")((6,), 3), DFALOptions())
    plan = Plan(rounds=2, query_size=4, initial_size=6, candidates=40, steps=5, batch_size=6)
    active = ActiveLearner(learner, "dfal", dataset, plan=plan, strategy=one_device)
    assert active.run()
    records = active.journal.finished()
    assert [record["labelled"] for record in records] == [6, 10, 14]
    for round_ in (1, 2):
        facts = records[round_]["facts"]
        assert facts["crossed"] == 1
        assert facts["adversarial_distance"] > 0
        made, its_labels = active.training_set.labelled(round_)
        assert len(made) == 14 + 4 * round_  # every label that there is by now
        query = active.journal.query(round_)
        assert query is not None
        known = active.labelling.pool.labels
        assert its_labels[-4:].tolist() == [known[id_] for id_ in query.ids]
        # The score of x* is minus the distance; x' is 2 % farther.
        mean = -np.mean(query.scores) * 1.02
        assert facts["adversarial_distance"] == pytest.approx(mean, rel=1e-3)
