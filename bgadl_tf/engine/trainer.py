"""One trainer for every learner and every distribution strategy.

It runs ``strategy.run(learner.train_step)`` inside a function that loops over many steps a
call, is traced once and stays valid for the whole run. Batches are always full and drawn by a
stateless order, so a run resumes from its step number alone. The labelled set is in memory; of the
pool only what the next steps take.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError, DivergenceError
from bgadl_tf.core.types import Images, Labels
from bgadl_tf.data.source import ExampleSource
from bgadl_tf.engine.batches import Span, blocks, positions, steps_of_a_block
from bgadl_tf.learners.base import Learner

Progress = Callable[[int, dict[str, float]], None]
"""Called with the steps done in this round and the mean of every loss term since the last call."""


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
        unlabelled: ExampleSource | None = None,
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
            unlabelled: The pool, ``uint8 [M, H, W, D]``, for learners that use it, read as the
                steps go on; None where nothing is left of it: the labelled images stand in.
            report_every: Steps between two calls of ``progress``.
            progress: Told how it goes.

        Raises:
            DivergenceError: A loss term or a weight is not finite; the message names the term
                or the network.
            DataError: An image of the pool cannot be read.
        """
        with tf.device("/CPU:0"):
            resident = [tf.constant(value) for value in (images, labels)]
            seed = tf.constant(order_seed, tf.int32)
        pool: ExampleSource = images if unlabelled is None else unlabelled
        at_once = report_every
        if self.learner.uses_unlabelled:
            at_once = steps_of_a_block(pool, self.batch_size)
        reports = {
            report: report.pieces(at_once)
            for report in Span(first_step, steps).pieces(report_every)
        }
        spans = [span for pieces in reports.values() for span in pieces]
        with contextlib.closing(self._blocks(pool, seed, spans)) as of_pool:
            for report, pieces in reports.items():
                for metric in self.learner.metrics:
                    metric.reset_state()
                for span in pieces:
                    ends = [tf.constant(step, tf.int64) for step in span]
                    self._train(*resident, next(of_pool), seed, *ends)
                means = {metric.name: float(metric.result()) for metric in self.learner.metrics}
                self._refuse_divergence(means, f"between steps {report.start} and {report.stop}")
                if progress is not None:
                    progress(report.stop, means)

    def _blocks(
        self, pool: ExampleSource, seed: tf.Tensor, spans: list[Span]
    ) -> Generator[tf.Tensor, None, None]:
        """Images of the pool for the steps of each span; none for a learner that uses none."""
        with tf.device("/CPU:0"):
            if not self.learner.uses_unlabelled:
                nothing = tf.zeros((0, *pool.shape[1:]), tf.uint8)
                return (nothing for _ in spans)
            pool_seed = tf.random.experimental.stateless_fold_in(seed, 1)
        return blocks(pool, pool_seed, self.batch_size, spans)

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
        """Steps of one block; ``unlabelled`` holds the images that they take, in their order."""
        self.traces += 1

        def replica_step(step: tf.Tensor) -> None:
            context = tf.distribute.get_replica_context()
            share = self.batch_size // context.num_replicas_in_sync
            first = context.replica_id_in_sync_group * share
            with tf.device("/CPU:0"):
                count = tf.shape(labels, tf.int64)[0]
                own = positions(count, seed, step, self.batch_size)[first : first + share]
                batch = [tf.gather(images, own), tf.gather(labels, own)]
                if self.learner.uses_unlabelled:
                    place = (step - start) * self.batch_size + tf.cast(first, tf.int64)
                    batch.append(tf.slice(unlabelled, [place, 0, 0, 0], [share, -1, -1, -1]))
            self.learner.train_step(tuple(batch))

        for step in tf.range(start, stop):
            self.strategy.run(replica_step, args=(step,))


def _is_finite(network: keras.Model) -> bool:
    weights = [weight.value for weight in network.weights if "float" in str(weight.dtype)]
    return all(bool(tf.reduce_all(tf.math.is_finite(weight))) for weight in weights)
