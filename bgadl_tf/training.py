"""One trainer for every learner and every distribution strategy.

It runs ``strategy.run(learner.train_step)`` inside a function that loops over many steps a
call, is traced once and stays valid for the whole run. Batches are always full and drawn by a
stateless order, so a run resumes from its step number alone.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.errors import ConfigError, DivergenceError
from bgadl_tf.learners.base import Learner
from bgadl_tf.types import Images, Labels

Progress = Callable[[int, dict[str, float]], None]
"""Called with the steps done in this round and the mean of every loss term since the last call."""


def positions(count: tf.Tensor, seed: tf.Tensor, step: tf.Tensor, batch_size: int) -> tf.Tensor:
    """Positions of the examples of one batch: consecutive pieces of an endless list of epochs.

    Every epoch is a permutation of its own; a batch may straddle two.

    Args:
        count: N, scalar int64.
        seed: ``[2]`` int32 seed of the order.
        step: Number of the batch, scalar int64.
        batch_size: B.

    Returns:
        ``[B]`` int64 in ``[0, N)``.
    """
    place = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    epoch = tf.cast(place // count, tf.int32)
    seeds = tf.stack([tf.fill([batch_size], seed[0]), tf.fill([batch_size], seed[1]), epoch], 1)
    return tf.raw_ops.RandomIndexShuffle(
        index=place % count, seed=seeds, max_index=count - 1, rounds=4
    )


class Trainer:
    """Trains a learner, one traced function for the whole run.

    Args:
        learner: Compiled within the scope of ``strategy``.
        strategy: Where it trains.
        batch_size: Examples of a step over all replicas; divisible by their number.

    Raises:
        ConfigError: The batch cannot be shared out evenly.
    """

    def __init__(self, learner: Learner, strategy: tf.distribute.Strategy, batch_size: int) -> None:
        replicas = strategy.num_replicas_in_sync
        if batch_size % replicas:
            raise ConfigError(
                f"--batch-size is {batch_size}, which {replicas} replicas cannot share evenly; "
                f"use a multiple of {replicas}"
            )
        self.learner, self.strategy, self.batch_size = learner, strategy, batch_size
        self.traces = 0
        shape = learner.classifier.image_shape
        self._train = tf.function(
            self._steps,
            input_signature=[
                tf.TensorSpec((None, *shape), tf.uint8),
                tf.TensorSpec((None,), tf.int32),
                tf.TensorSpec((None, *shape), tf.uint8),
                tf.TensorSpec((2,), tf.int32),
                tf.TensorSpec((), tf.int64),
                tf.TensorSpec((), tf.int64),
            ],
        )

    def train(
        self,
        images: Images,
        labels: Labels,
        order_seed: tuple[int, int],
        steps: int,
        first_step: int = 0,
        unlabelled: Images | None = None,
        report_every: int = 50,
        progress: Progress | None = None,
    ) -> None:
        """Take steps ``first_step`` .. ``steps`` - 1 of a round.

        Args:
            images: The labelled set, ``uint8 [N, H, W, D]``.
            labels: ``int32 [N]``.
            order_seed: Seed of the order of examples.
            steps: Gradient steps of the round.
            first_step: Steps that were taken already.
            unlabelled: The pool, ``uint8 [M, H, W, D]``, for learners that use it; None where
                nothing is left of it: the labelled images stand in.
            report_every: Steps between two calls of ``progress``.
            progress: Told how it goes.

        Raises:
            DivergenceError: A loss term or a weight is not finite; the message names the term
                or the network.
        """
        with tf.device("/CPU:0"):
            pool = self._pool(images if unlabelled is None else unlabelled)
            resident = [tf.constant(value) for value in (images, labels, pool)]
            resident.append(tf.constant(order_seed, tf.int32))
        for start in range(first_step, steps, report_every):
            stop = min(start + report_every, steps)
            for metric in self.learner.metrics:
                metric.reset_state()
            self._train(*resident, tf.constant(start, tf.int64), tf.constant(stop, tf.int64))
            means = {metric.name: float(metric.result()) for metric in self.learner.metrics}
            self._refuse_divergence(means, f"between steps {start} and {stop}")
            if progress is not None:
                progress(stop, means)

    def _pool(self, unlabelled: Images) -> Images:
        return unlabelled if self.learner.uses_unlabelled else unlabelled[:0]

    def _refuse_divergence(self, means: dict[str, float], when: str) -> None:
        terms = [repr(name) for name, value in means.items() if not np.isfinite(value)]
        # The gradients of a last step whose loss is finite may not be.
        networks = [
            repr(name) for name, net in self.learner.networks.items() if not _is_finite(net)
        ]
        if terms or networks:
            what = ("loss term", terms) if terms else ("a weight of network", networks)
            raise DivergenceError(
                f"not finite {when}: {what[0]} {', '.join(what[1])}; the last good checkpoint is "
                "kept: use a lower learning rate or weight of that term, in a new --out"
            )

    def _steps(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        unlabelled: tf.Tensor,
        seed: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> None:
        self.traces += 1
        pool_seed = tf.random.experimental.stateless_fold_in(seed, 1)

        def rows(of: tf.Tensor, order: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            share = self.batch_size // context.num_replicas_in_sync
            first = context.replica_id_in_sync_group * share
            count = tf.shape(of, tf.int64)[0]
            return positions(count, order, step, self.batch_size)[first : first + share]

        def replica_step(step: tf.Tensor) -> None:
            with tf.device("/CPU:0"):
                own = rows(labels, seed, step)
                batch = [tf.gather(images, own), tf.gather(labels, own)]
                if self.learner.uses_unlabelled:
                    batch.append(tf.gather(unlabelled, rows(unlabelled, pool_seed, step)))
            self.learner.train_step(tuple(batch))

        for step in tf.range(start, stop):
            self.strategy.run(replica_step, args=(step,))


def _is_finite(network: keras.Model) -> bool:
    weights = [weight.value for weight in network.weights if "float" in str(weight.dtype)]
    return all(bool(tf.reduce_all(tf.math.is_finite(weight))) for weight in weights)
