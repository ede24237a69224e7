"""From a version's folder to something that answers requests."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server import configuration, warmup
from bgadl_tf.serving.server.batching import BatchingRunner
from bgadl_tf.serving.server.configuration import Batching
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.inference import Servable
from bgadl_tf.serving.server.metrics import Metrics
from bgadl_tf.serving.server.savedmodel import Runner, SavedModel
from bgadl_tf.serving.server.status import invalid_argument

PER_MODEL_BATCHING = "batching_params.pbtxt"


def make_loader(flags: Flags, metrics: Metrics) -> Callable[[str, int, Path], Servable]:
    """A ``manager.Load`` for these flags.

    Raises:
        ConfigError: The batching parameters are missing or malformed.
    """
    batching: Batching | None = None
    if flags.enable_batching:
        batching = Batching()
        if flags.batching_parameters_file:
            batching = configuration.read_batching(flags.batching_parameters_file)
    return functools.partial(_load, flags, metrics, batching)


def _load(
    flags: Flags, metrics: Metrics, batching: Batching | None, name: str, number: int, path: Path
) -> Servable:
    del number
    own = path / PER_MODEL_BATCHING
    if flags.enable_batching and flags.enable_per_model_batching_parameters and own.exists():
        try:
            batching = configuration.read_batching(str(own), PER_MODEL_BATCHING)
        except ConfigError as error:
            raise invalid_argument(str(error)) from None
    model = SavedModel(
        path,
        flags.saved_model_tags.split(","),
        flags.tensorflow_intra_op_parallelism,
        flags.tensorflow_inter_op_parallelism,
    )
    try:
        runner: Runner = model
        if batching is not None:
            runner = BatchingRunner(
                model, batching, lambda rows: metrics.batch_size.labels(name).observe(rows)
            )
        servable = Servable(model.signatures, runner, model.close)
        if flags.enable_model_warmup:
            warmup.replay(servable, path, flags.num_request_iterations_for_warmup)
    except BaseException:
        model.close()
        raise
    return servable
