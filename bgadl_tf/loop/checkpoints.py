"""Weights and optimizer states on disk, and the moment that they are of."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bgadl_tf.core import durable
from bgadl_tf.core.errors import RunFolderError, plain
from bgadl_tf.learners.growing import overlaid
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.journal import Moment

SECONDS_BETWEEN_CHECKPOINTS = 60.0

_KEY = "{}/.ATTRIBUTES/VARIABLE_VALUE"


class Checkpoints:
    """The checkpoints of one run, of which the newest two are kept.

    One of networks that knew fewer classes is restored where it fits.

    Args:
        folder: Holds them.
        learner: Whose saved networks and optimizers they are of; compiled.
    """

    def __init__(self, folder: Path, learner: Learner) -> None:
        self.folder, self._learner = folder, learner
        for unfinished in folder.glob("*_temp"):
            shutil.rmtree(unfinished)
        self._moment = [tf.Variable(0, dtype=tf.int64) for _ in Moment._fields]
        self._objects = {
            **dict(zip(Moment._fields, self._moment, strict=True)),
            **_network_states(learner),
            **{
                f"optimizer_{name}": _states(optimizer.variables)
                for name, optimizer in learner.saved_optimizers.items()
            },
        }
        checkpoint = tf.train.Checkpoint(**self._objects)
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
        self._last = time.monotonic()

    def restore(self) -> Moment | None:
        """Bring back the newest sound checkpoint; what it is of, or None where there is none.

        Raises:
            RunFolderError: There are some, but none is sound.
        """
        if not self._manager.checkpoints:
            return None
        checkpoints = self._manager.checkpoints
        _restore_newest(
            self._manager.checkpoint, checkpoints, self._objects, self._learner, whole=True
        )
        return Moment(*(int(variable.numpy()) for variable in self._moment))

    def save(self, moment: Moment, now: bool) -> None:
        """Save: always if ``now``, else when it is time again.

        Raises:
            RunFolderError: They cannot be written.
        """
        if not now and time.monotonic() - self._last < SECONDS_BETWEEN_CHECKPOINTS:
            return
        for variable, value in zip(self._moment, moment, strict=True):
            variable.assign(value)
        with reporting_write_errors(self.folder):
            newest = Path(self._manager.save())
            for file in (*newest.parent.glob(f"{newest.name}.*"), newest.parent):
                durable.sync(file)
        self._last = time.monotonic()


def read_weights(folder: Path, learner: Learner) -> Moment:
    """Give a learner the newest weights. Only reads: another process may go on training.

    Args:
        folder: Of the checkpoints.
        learner: Its networks are changed; its optimizers need not exist.

    Returns:
        The moment they are of.

    Raises:
        RunFolderError: There is no checkpoint, none that can be read, or none of a classifier
            that has seen labels.
    """
    round_, step = (tf.Variable(0, dtype=tf.int64) for _ in range(2))
    objects = {"round": round_, "step": step, **_network_states(learner)}
    checkpoint = tf.train.Checkpoint(**objects)
    path = _restore_newest(checkpoint, _saved_in(folder), objects, learner, whole=False)
    key = _KEY.format("stage")
    reader = tf.train.load_checkpoint(path)
    stage = int(reader.get_tensor(key)) if reader.has_tensor(key) else 0  # the first format
    moment = Moment(int(round_.numpy()), stage, int(step.numpy()))
    if not learner.stages(moment.round)[moment.stage].uses_labels:
        raise RunFolderError(
            f"{folder.parent} has not trained on a label yet; train until round 0 has"
        )
    return moment


def classes_in(folder: Path, learner: Learner) -> int:
    """How many classes the newest weights tell apart; a learner may know more by now.

    Raises:
        RunFolderError: There is no checkpoint.
    """
    return _classes_in(_saved_in(folder)[-1], learner)


def _saved_in(folder: Path) -> Sequence[str]:
    state = tf.train.get_checkpoint_state(str(folder))
    if state is None:
        raise RunFolderError(f"{folder.parent} has no checkpoint yet; train for a round first")
    paths: Sequence[str] = state.all_model_checkpoint_paths
    return paths


@contextlib.contextmanager
def reporting_write_errors(path: Path) -> Iterator[None]:
    """Turns what Python and TensorFlow raise when they cannot write into a ``RunFolderError``."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or plain(str(error))
        raise RunFolderError(
            f"cannot write to {path}: {reason}; what is there is kept: make room or mend the "
            "permissions, then run the same command again to go on"
        ) from error


def _restore_newest(
    checkpoint: tf.train.Checkpoint,
    paths: Sequence[str],
    objects: Mapping[str, tf.Variable | list[tf.Variable]],
    learner: Learner,
    whole: bool,
) -> str:
    """Restore the last of ``paths`` that is sound.

    Args:
        checkpoint: Of ``objects``, all of which must be found.
        paths: Oldest first.
        objects: What it is of, by name.
        learner: Whose they are.
        whole: Whether the objects must also be all that is found.

    Returns:
        The one that was restored.

    Raises:
        RunFolderError: None is sound.
    """
    failures: list[str] = []
    for path in reversed(paths):
        try:
            if _is_smaller(path, learner):
                _restore_overlaid(path, {**objects, "save_counter": checkpoint.save_counter})
                return path
            status = checkpoint.restore(path).assert_existing_objects_matched()
            status.assert_consumed() if whole else status.expect_partial()
        except (AssertionError, LookupError, ValueError, tf.errors.OpError) as error:
            failures.append(f"{path} ({plain(str(error))})")
        else:
            return path
    raise RunFolderError(
        f"no checkpoint can be read: {', '.join(failures)}; restore one from a copy, or "
        "use another --out"
    )


def _is_smaller(path: str, learner: Learner) -> bool:
    """Whether a checkpoint is of networks that told fewer classes apart."""
    return _classes_in(path, learner) < learner.classifier.classes


def _classes_in(path: str, learner: Learner) -> int:
    """C of the classifier in a checkpoint."""
    variables = learner.classifier.variables
    last = learner.classifier.head.stages[-1].bias
    number = next(place for place, variable in enumerate(variables) if variable is last)
    shapes = tf.train.load_checkpoint(path).get_variable_to_shape_map()
    shape = shapes.get(_KEY.format(f"network_classifier/{number}"))
    return int(shape[0]) if shape else learner.classifier.classes


def _restore_overlaid(path: str, objects: Mapping[str, tf.Variable | list[tf.Variable]]) -> None:
    """Restore what fits; variables keep what the checkpoint has no value for."""
    reader = tf.train.load_checkpoint(path)
    values = {key: reader.get_tensor(key) for key in _by_key(objects)}
    for key, variable in _by_key(objects).items():
        value = values[key]
        if value.shape != tuple(variable.shape):
            value = overlaid(value, np.asarray(variable.numpy()))
        variable.assign(value)


def _by_key(objects: Mapping[str, tf.Variable | list[tf.Variable]]) -> dict[str, tf.Variable]:
    """The variables under the keys that TensorFlow saves them by."""
    found: dict[str, tf.Variable] = {}
    for name, value in objects.items():
        if isinstance(value, list):
            found |= {_KEY.format(f"{name}/{n}"): variable for n, variable in enumerate(value)}
        else:
            found[_KEY.format(name)] = value
    return found


def _network_states(learner: Learner) -> dict[str, list[tf.Variable]]:
    return {
        f"network_{name}": _states(network.variables)
        for name, network in learner.saved_networks.items()
    }


def _states(variables: Iterable[Any]) -> list[tf.Variable]:
    """The TensorFlow variables behind Keras variables, in the order of the network.

    A checkpoint of the network itself would miss, without a word, what lies in lists of layers,
    and the seed generators of Keras' own Dropout layers.
    """
    return [variable.value for variable in variables]
