"""The order of examples, what a step is given, and losses that are no longer finite."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError, DivergenceError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.engine.batches import positions
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.networks import Networks
from bgadl_tf.models import losses
from bgadl_tf.models.spaces import space_of
from tests.support.examples import some_images, some_labels, some_vectors
from tests.support.learners import reseed, small_learner


def batch(step: int, count: int = 10, size: int = 4, seed: tuple[int, int] = (1, 2)) -> list[int]:
    order = positions(
        tf.constant(count, tf.int64), tf.constant(seed, tf.int32), tf.constant(step, tf.int64), size
    )
    return order.numpy().tolist()


def test_every_epoch_is_a_permutation_of_its_own() -> None:
    # The released code never shuffles and drops the remainder: its first batch is the
    # class-sorted initial set for ever (methods, fault 8).
    seen = [place for step in range(5) for place in batch(step)]
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]
    assert seen[:10] != list(range(10))


def test_the_order_follows_from_seed_and_step() -> None:
    assert batch(3) == batch(3)
    assert [batch(s) for s in range(5)] != [batch(s, seed=(1, 3)) for s in range(5)]


def test_batches_are_full_however_few_examples_there_are() -> None:
    assert sorted(batch(0, count=3, size=9)) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert batch(7, count=1, size=3) == [0, 0, 0]


def test_a_batch_that_replicas_cannot_share_is_refused(mirrored: tf.distribute.Strategy) -> None:
    with mirrored.scope():
        learner = small_learner("plain")
    with pytest.raises(ConfigError, match=r"--batch-size is 7.*multiple of 2"):
        Trainer(learner, learner.space, mirrored, 7)


def test_a_loss_that_is_not_finite_is_named(one_device: tf.distribute.Strategy) -> None:
    learner = small_learner("vaeacgan")
    learner.encoder.mean_head.bias.assign(tf.fill(learner.encoder.mean_head.bias.shape, np.inf))
    with pytest.raises(DivergenceError, match=r"steps 0 and 2: loss term .*'kl'"):
        Trainer(learner, learner.space, one_device, 4).train(
            some_images(8), some_labels(8), (1, 2), 2
        )


class Heard(Networks):
    """Networks of a user's own, which learn to sum a vector; tells what its steps were given."""

    main = "summing"

    def __init__(self, uses_unlabelled: bool = False) -> None:
        super().__init__()
        self.summing = keras.Sequential([keras.Input((12,)), keras.layers.Dense(1)])
        self.error = keras.metrics.Mean(name="error")
        self.batches: list[tuple[np.ndarray, ...]] = []
        self._uses_unlabelled = uses_unlabelled

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"summing": self.summing}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.error]

    @property
    def uses_unlabelled(self) -> bool:
        return self._uses_unlabelled

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        return {"summing": keras.optimizers.SGD(0.01)}

    def train_step(self, data: Batch) -> None:
        given = [
            tensor
            for tensor in data._replace(labelled_size=None, unlabelled_views=None)
            if isinstance(tensor, tf.Tensor)
        ]
        tf.numpy_function(lambda *arrays: self.batches.append(arrays), given, [])
        with tf.GradientTape() as tape:
            error = tf.square(self.summing(data.examples)[:, 0] - tf.reduce_sum(data.examples, 1))
            loss = losses.global_mean(error)
        self.descend(tape, {"summing": loss})
        self.error.update_state(error)


VECTORS = some_vectors(30)
SPACE = space_of((12,))


def places(batch: np.ndarray) -> list[int]:
    return [int(np.flatnonzero((row == VECTORS).all(1))[0]) for row in batch]


@pytest.mark.parametrize("optimizer", [None, "adam", keras.optimizers.RMSprop(0.01)])
def test_networks_of_a_users_own_are_trained(
    optimizer: object, one_device: tf.distribute.Strategy
) -> None:
    model = Heard()
    model.compile(optimizer=optimizer)
    reseed(model)
    trainer = Trainer(model, SPACE, one_device, 5)
    means: list[dict[str, float]] = []
    for first, last in ((0, 3), (3, 60)):
        trainer.train(
            VECTORS, some_labels(30), (1, 2), last, first, report_every=20,
            progress=lambda step, new: means.append(new),
        )  # fmt: skip
    assert trainer.traces == 1
    assert means[-1]["error"] < means[0]["error"]
    assert int(model.optimizers["summing"].iterations.numpy()) == 60
    seen = [place for examples, _ in model.batches[:6] for place in places(examples)]
    assert sorted(seen) == list(range(30))
    for examples, labels in model.batches:
        np.testing.assert_array_equal(labels, some_labels(30)[places(examples)])


def test_without_labels_batches_are_the_pools_and_every_label_is_minus_one(
    one_device: tf.distribute.Strategy,
) -> None:
    model = Heard()
    model.compile()
    trainer = Trainer(model, SPACE, one_device, 6, labelled=False)
    assert trainer.reads_pool
    trainer.train(None, None, (1, 2), 5, unlabelled=VECTORS)
    assert len(model.batches) == 5
    assert all((labels == UNLABELLED).all() for _, labels in model.batches)
    assert {labels.shape for _, labels in model.batches} == {(6,)}
    seen = [place for examples, _ in model.batches for place in places(examples)]
    assert sorted(seen) == list(range(30))
    # Taken up after two steps, the rest of the batches are the same.
    again = Heard()
    again.compile()
    trainer = Trainer(again, SPACE, one_device, 6, labelled=False)
    trainer.train(None, None, (1, 2), 5, first_step=2, unlabelled=VECTORS)
    for one, other in zip(model.batches[2:], again.batches, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_without_labels_on_two_replicas(mirrored: tf.distribute.Strategy) -> None:
    with mirrored.scope():
        model = Heard()
        model.compile()
    Trainer(model, SPACE, mirrored, 6, labelled=False).train(
        None, None, (1, 2), 5, unlabelled=VECTORS
    )
    assert {examples.shape for examples, _ in model.batches} == {(3, 12)}
    seen = [place for examples, _ in model.batches for place in places(examples)]
    assert sorted(seen) == list(range(30))


def test_what_uses_the_pool_is_given_labelled_and_unlabelled_examples(
    one_device: tf.distribute.Strategy,
) -> None:
    model = Heard(uses_unlabelled=True)
    model.compile()
    trainer = Trainer(model, SPACE, one_device, 5)
    trainer.train(VECTORS[:10], some_labels(10), (1, 2), 4, unlabelled=VECTORS[10:])
    assert {place for examples, *_ in model.batches for place in places(examples)} == {*range(10)}
    others = [place for *_, pool in model.batches for place in places(pool)]
    assert sorted(others) == list(range(10, 30))


class Viewing(Heard):
    """Asks for views, too."""

    uses_views = True


def test_what_uses_views_is_given_those_of_its_examples(mirrored: tf.distribute.Strategy) -> None:
    with mirrored.scope():
        model = Viewing()
        model.compile()
    trainer = Trainer(model, SPACE, mirrored, 6)
    views = np.stack([VECTORS + 100, VECTORS + 200], 1)
    trainer.train(VECTORS, some_labels(30), (1, 2), 5, views=views)
    trainer.train(VECTORS, some_labels(30), (1, 2), 7, 5)  # where there are none, V is 0
    assert trainer.traces == 1
    for examples, _, own in model.batches[:10]:
        np.testing.assert_array_equal(own, views[places(examples)])
    assert {own.shape for *_, own in model.batches[10:]} == {(3, 0, 12)}


def test_nothing_to_train_on_is_refused(one_device: tf.distribute.Strategy) -> None:
    model = Heard()
    model.compile()
    with pytest.raises(ValueError, match="no examples to train on"):
        Trainer(model, SPACE, one_device, 5).train(None, None, (1, 2), 1, unlabelled=VECTORS)
    with pytest.raises(ValueError, match="no examples to train on"):
        Trainer(model, SPACE, one_device, 5, labelled=False).train(None, None, (1, 2), 1)


def test_a_weight_that_is_not_finite_is_named(one_device: tf.distribute.Strategy) -> None:
    model = Heard()
    model.compile()
    model.summing.layers[-1].kernel.assign(np.full((12, 1), 1e38, np.float32))
    with pytest.raises(DivergenceError, match=r"steps 0 and 1: loss term 'error'"):
        Trainer(model, SPACE, one_device, 5).train(VECTORS, some_labels(30), (1, 2), 1)
