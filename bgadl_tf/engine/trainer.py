"""One trainer for every learner, pretext task and acquisition, under every distribution strategy.

It runs ``strategy.run(model.train_step)`` inside a function that loops over many steps a call, is
traced once and stays valid for the whole run. Batches are always full and drawn by a stateless
order, so a run resumes from its step number alone. The labelled set is in memory; of the pool only
what the next steps take.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator

import keras
import numpy as np
import tensorflow as tf

from bgadl_tf.core.errors import ConfigError, DivergenceError
from bgadl_tf.core.types import UNLABELLED, Examples, Floats, Labels
from bgadl_tf.data.source import ExampleSource, WithoutViews
from bgadl_tf.engine.batches import Span, blocks, positions, steps_of_a_block
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.stage import Trainable
from bgadl_tf.models.spaces import Space

Progress = Callable[[int, dict[str, float]], None]
"""Called with the steps done and the mean of every metric since the last call."""


class Trainer:
    """Trains a model, one traced function for the whole run.

    Args:
        model: Compiled within the scope of ``strategy``.
        space: Of the examples.
        strategy: Where it trains.
        batch_size: Examples of a step over all replicas; divisible by their number.
        labelled: Whether a batch holds labelled examples. If not, it holds others, all labels
            being ``UNLABELLED``.

    Raises:
        ConfigError: The batch cannot be shared out evenly.
    """

    def __init__(
        self,
        model: Trainable,
        space: Space,
        strategy: tf.distribute.Strategy,
        batch_size: int,
        labelled: bool = True,
    ) -> None:
        check_batch_size(batch_size, strategy)
        self.model, self.space, self.strategy = model, space, strategy
        self.batch_size, self.labelled = batch_size, labelled
        self.reads_pool = model.uses_unlabelled or not labelled
        self.reads_views = model.uses_views and labelled
        self.reads_emphasis = model.uses_emphasis and labelled
        self.traces = 0
        self._train = tf.function(
            self._steps,
            input_signature=[
                self._resident_types(),
                tf.TensorSpec((None, *self._forms, *space.shape), space.dtype),
                tf.TensorSpec((2,), tf.int32),
                tf.TensorSpec((), tf.int64),
                tf.TensorSpec((), tf.int64),
            ],
            autograph=False,  # as in Keras: converting every layer costs more than tracing it
        )

    @property
    def _forms(self) -> tuple[int | None, ...]:
        """The axis of an example of the pool and its views; none where no views are read."""
        return (None,) if self.reads_views and self.reads_pool else ()

    def _resident_types(self) -> dict[str, tf.TensorSpec]:
        """What is known of each labelled example, as fields of a batch."""
        shape, dtype = self.space.shape, self.space.dtype
        types = {
            "examples": tf.TensorSpec((None, *shape), dtype),
            "labels": tf.TensorSpec((None,), tf.int32),
        }
        if self.reads_views:
            types["views"] = tf.TensorSpec((None, None, *shape), dtype)
        if self.reads_emphasis:
            types["emphasis"] = tf.TensorSpec((None,), tf.float32)
        return types

    def train(
        self,
        examples: Examples | None,
        labels: Labels | None,
        order_seed: tuple[int, int],
        steps: int,
        first_step: int = 0,
        unlabelled: ExampleSource | None = None,
        views: Examples | None = None,
        emphasis: Floats | None = None,
        report_every: int = 50,
        progress: Progress | None = None,
    ) -> None:
        """Take steps ``first_step`` .. ``steps`` - 1 of a stage.

        Args:
            examples: The labelled set, ``[N, *shape]``; None for a trainer that uses none.
            labels: ``int32 [N]``, or None.
            order_seed: Seed of the order of examples.
            steps: Gradient steps of the stage.
            first_step: Steps that were taken already.
            unlabelled: The pool, ``[M, *shape]``, for models that use it, read as the steps go
                on; or ``[M, 1 + V, *shape]``, each example followed by its views, for those that
                use views, too. None where nothing is left of it: the labelled examples stand in.
            views: Of the labelled set, ``[N, V, *shape]``, for models that use them; None where
                there are none.
            emphasis: ``[N]``, see ``Batch``, for models that use it; None for 1 throughout.
            report_every: Steps between two calls of ``progress``.
            progress: Told how it goes.

        Raises:
            DivergenceError: A metric or a weight is not finite; the message names the term or the
                network.
            DataError: An example of the pool cannot be read.
            ValueError: There is nothing to train on.
        """
        if (examples is None or labels is None) and (self.labelled or unlabelled is None):
            raise ValueError("there are no examples to train on")
        if examples is None or labels is None:
            examples = np.empty((0, *self.space.shape), self.space.dtype.as_numpy_dtype)
            labels = np.empty(0, np.int32)
        views = _views_of(examples, views)
        pool: ExampleSource | None = unlabelled
        if pool is None:
            pool = np.concatenate([examples[:, None], views], 1) if self._forms else examples
        elif self._forms and pool.ndim == 1 + len(self.space.shape):
            pool = WithoutViews(pool)
        with tf.device("/CPU:0"):
            seed = tf.constant(order_seed, tf.int32)
            known = {
                "examples": examples,
                "labels": labels,
                "views": views,
                "emphasis": np.ones(len(labels), np.float32) if emphasis is None else emphasis,
            }
            resident = {name: tf.constant(known[name]) for name in self._resident_types()}
        at_once = steps_of_a_block(pool, self.batch_size) if self.reads_pool else report_every
        reports = {
            report: report.pieces(at_once)
            for report in Span(first_step, steps).pieces(report_every)
        }
        spans = [span for pieces in reports.values() for span in pieces]
        with contextlib.closing(self._blocks(pool, seed, spans)) as of_pool:
            for report, pieces in reports.items():
                for metric in self.model.metrics:
                    metric.reset_state()
                for span in pieces:
                    ends = [tf.constant(step, tf.int64) for step in span]
                    self._train(resident, next(of_pool), seed, *ends)
                means = {metric.name: float(metric.result()) for metric in self.model.metrics}
                self._refuse_divergence(means, f"between steps {report.start} and {report.stop}")
                if progress is not None:
                    progress(report.stop, means)

    def _blocks(
        self, pool: ExampleSource, seed: tf.Tensor, spans: list[Span]
    ) -> Generator[tf.Tensor, None, None]:
        """Examples of the pool for the steps of each span; none for a model that uses none."""
        with tf.device("/CPU:0"):
            if not self.reads_pool:
                nothing = tf.zeros((0, *self.space.shape), self.space.dtype)
                return (nothing for _ in spans)
            pool_seed = tf.random.experimental.stateless_fold_in(seed, 1)
        return blocks(pool, pool_seed, self.batch_size, spans)

    def _refuse_divergence(self, means: dict[str, float], when: str) -> None:
        terms = [repr(name) for name, value in means.items() if not np.isfinite(value)]
        # The gradients of a last step whose loss is finite may not be.
        networks = [repr(name) for name, net in self.model.networks.items() if not _is_finite(net)]
        if terms or networks:
            what = ("loss term", terms) if terms else ("a weight of network", networks)
            raise DivergenceError(
                f"not finite {when}: {what[0]} {', '.join(what[1])}; the last good checkpoint is "
                "kept: use a lower learning rate or weight of that term, in a new --out"
            )

    def _steps(
        self,
        resident: dict[str, tf.Tensor],
        unlabelled: tf.Tensor,
        seed: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> None:
        """Steps of one block; ``unlabelled`` holds the examples that they take, in their order."""
        self.traces += 1

        def replica_step(step: tf.Tensor) -> None:
            context = tf.distribute.get_replica_context()
            share = self.batch_size // context.num_replicas_in_sync
            first = context.replica_id_in_sync_group * share
            with tf.device("/CPU:0"):
                of_pool, its_views = None, None
                if self.reads_pool:
                    place = (step - start) * self.batch_size + tf.cast(first, tf.int64)
                    inner = unlabelled.shape.rank - 1
                    of_pool = tf.slice(unlabelled, [place, *[0] * inner], [share, *[-1] * inner])
                    if self._forms:
                        of_pool, its_views = of_pool[:, 0], of_pool[:, 1:]
                if self.labelled:
                    count = tf.shape(resident["labels"], tf.int64)[0]
                    own = positions(count, seed, step, self.batch_size)[first : first + share]
                    known = {name: tf.gather(values, own) for name, values in resident.items()}
                    batch = Batch(
                        **known,
                        unlabelled=of_pool,
                        unlabelled_views=its_views,
                        labelled_size=count,
                    )
                else:
                    batch = Batch(of_pool, tf.fill((share,), tf.constant(UNLABELLED, tf.int32)))
            self.model.train_step(batch)

        def next_step(step: tf.Tensor) -> tuple[tf.Tensor]:
            self.strategy.run(replica_step, args=(step,))
            return (step + 1,)

        tf.while_loop(lambda step: step < stop, next_step, (start,))


def check_batch_size(batch_size: int, strategy: tf.distribute.Strategy) -> None:
    """Refuse a batch that replicas cannot share evenly.

    Raises:
        ConfigError: The message names the number of replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ConfigError(
            f"--batch-size is {batch_size}, which {replicas} replicas cannot share evenly; "
            f"use a multiple of {replicas}"
        )


def _views_of(examples: Examples, views: Examples | None) -> Examples:
    """The views of examples, ``[N, V, *shape]``; V is 0 where there are none."""
    if views is not None:
        return views
    return np.empty((len(examples), 0, *examples.shape[1:]), examples.dtype)


def _is_finite(network: keras.Model) -> bool:
    weights = [weight.value for weight in network.weights if "float" in str(weight.dtype)]
    return all(bool(tf.reduce_all(tf.math.is_finite(weight))) for weight in weights)
