"""The images of the pool that steps take, in memory or not, whole or resumed."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from bgadl_tf.core.errors import DataError, DivergenceError
from bgadl_tf.core.types import Images, Rows
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine import batches
from bgadl_tf.engine.batches import Span, blocks, positions, steps_of_a_block
from bgadl_tf.engine.trainer import Trainer
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import Learner
from bgadl_tf.models.spaces import space_of
from tests.support.examples import RecordedImages, some_images, some_labels
from tests.support.learners import small_learner

SEED = (3, 4)
SPACE = space_of((8, 8, 1))
POOL = some_images(23, seed=1)
# The first pixel says which image it is.
POOL[:, 0, 0, 0] = np.arange(23)
STEPS = 7


def expected(step: int, size: int) -> list[int]:
    """Places in the pool that a step takes: each drawn on its own."""
    seed = tf.random.experimental.stateless_fold_in(tf.constant(SEED), 1)
    return [
        int(positions(tf.constant(23, tf.int64), seed, tf.constant(place, tf.int64), 1)[0])
        for place in range(step * size, (step + 1) * size)
    ]


class Listener:
    """A learner whose steps do nothing but tell what they were given."""

    def __init__(self, learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[tuple[int, int, list[int]]] = []
        self.learner = learner

        def train_step(data: Batch) -> None:
            assert data.unlabelled.shape[0] is not None, (
                "the share of a replica is known when tracing"
            )
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            step = self.learner.optimizers["classifier"].iterations
            tf.numpy_function(self._hear, [replica, step, data.unlabelled], [])
            self.learner.optimizers["classifier"].iterations.assign_add(1)

        monkeypatch.setattr(learner, "train_step", train_step)

    def _hear(self, replica: int, step: int, images: Images) -> None:
        np.testing.assert_array_equal(images, POOL[images[:, 0, 0, 0]])
        self.heard.append((int(step), int(replica), images[:, 0, 0, 0].tolist()))

    def batches(self) -> list[list[int]]:
        """Of each step, over all replicas."""
        steps = sorted({step for step, _, _ in self.heard})
        return [
            [row for at, _, rows in sorted(self.heard) if at == step for row in rows]
            for step in steps
        ]


@pytest.mark.parametrize("steps_at_once", [1, 2, 50])
@pytest.mark.parametrize("report_every", [3, 50])
@pytest.mark.parametrize("stored", [True, False])
def test_every_step_takes_the_images_at_its_positions(
    stored: bool,
    report_every: int,
    steps_at_once: int,
    one_device: tf.distribute.Strategy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener = Listener(small_learner("acgan"), monkeypatch)
    monkeypatch.setattr(batches, "BLOCK_BYTES", steps_at_once * 10 * 64)
    pool: ExampleSource = RecordedImages(POOL) if stored else POOL
    trainer = Trainer(listener.learner, listener.learner.space, one_device, 10)
    # Stopped after four steps and taken up again.
    for first, last in ((0, 4), (4, STEPS)):
        trainer.train(
            some_images(9), some_labels(9), SEED, last, first, pool, report_every=report_every
        )
    assert listener.batches() == [expected(step, 10) for step in range(STEPS)]
    assert trainer.traces == 1


def test_replicas_share_every_batch(
    mirrored: tf.distribute.Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mirrored.scope():
        listener = Listener(small_learner("acgan"), monkeypatch)
    monkeypatch.setattr(batches, "BLOCK_BYTES", 3 * 10 * 64)
    trainer = Trainer(listener.learner, listener.learner.space, mirrored, 10)
    trainer.train(some_images(9), some_labels(9), SEED, STEPS, unlabelled=RecordedImages(POOL))
    assert listener.batches() == [expected(step, 10) for step in range(STEPS)]
    assert {replica for _, replica, _ in listener.heard} == {0, 1}
    assert {len(rows) for _, _, rows in listener.heard} == {5}


def test_only_what_steps_take_is_read_from_front_to_back() -> None:
    source = RecordedImages(POOL)
    seed = tf.random.experimental.stateless_fold_in(tf.constant(SEED), 1)
    read = list(blocks(source, seed, 3, [Span(0, 2), Span(2, 5)]))
    assert [len(block) for block in read] == [6, 9]
    wanted = [
        [*expected(0, 3), *expected(1, 3)],
        [row for s in (2, 3, 4) for row in expected(s, 3)],
    ]
    assert source.asked == [sorted(rows) for rows in wanted]
    assert [block[:, 0, 0, 0].numpy().tolist() for block in read] == wanted


def test_a_block_is_as_many_steps_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BLOCK_BYTES", 10_000)
    assert steps_of_a_block(POOL, 10) == 10_000 // 640
    assert steps_of_a_block(POOL, 1000) == 1
    assert Span(2, 9).pieces(3) == [(2, 5), (5, 8), (8, 9)]
    assert Span(2, 2).pieces(3) == []


def test_a_learner_that_uses_no_pool_reads_none(one_device: tf.distribute.Strategy) -> None:
    pool = RecordedImages(POOL)
    trainer = Trainer(small_learner("plain"), SPACE, one_device, 4)
    trainer.train(some_images(9), some_labels(9), SEED, 2, unlabelled=pool)
    assert pool.asked == []


def test_an_image_that_cannot_be_read_stops_the_training(
    one_device: tf.distribute.Strategy,
) -> None:
    class Broken(RecordedImages):
        def read(self, rows: Rows) -> Images:
            raise DataError("nothing can be read")

    trainer = Trainer(small_learner("acgan"), SPACE, one_device, 4)
    with pytest.raises(DataError, match="nothing can be read"):
        trainer.train(some_images(9), some_labels(9), SEED, 2, unlabelled=Broken(POOL))


def test_the_reading_ends_when_training_fails(
    one_device: tf.distribute.Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(small_learner("acgan"), SPACE, one_device, 4)

    def fail(*_: object) -> None:
        raise DivergenceError("not finite")

    monkeypatch.setattr(trainer, "_refuse_divergence", fail)
    with pytest.raises(DivergenceError):
        trainer.train(
            some_images(9), some_labels(9), SEED, 9, unlabelled=RecordedImages(POOL), report_every=1
        )
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]
