"""Weights and optimizer states on disk, and the moment that they are of."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from bgadl_tf.core import durable
from bgadl_tf.core.errors import RunFolderError, plain
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.journal import Moment

SECONDS_BETWEEN_CHECKPOINTS = 60.0


class Checkpoints:
    """The checkpoints of one run, of which the newest two are kept.

    Args:
        folder: Holds them.
        learner: Whose saved networks and optimizers they are of; compiled.
    """

    def __init__(self, folder: Path, learner: Learner) -> None:
        self.folder = folder
        for unfinished in folder.glob("*_temp"):
            shutil.rmtree(unfinished)
        self._moment = [tf.Variable(0, dtype=tf.int64) for _ in Moment._fields]
        checkpoint = tf.train.Checkpoint(
            **dict(zip(Moment._fields, self._moment, strict=True)),
            **_network_states(learner),
            **{
                f"optimizer_{name}": _states(optimizer.variables)
                for name, optimizer in learner.saved_optimizers.items()
            },
        )
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
        self._last = time.monotonic()

    def restore(self) -> Moment | None:
        """Bring back the newest sound checkpoint; what it is of, or None where there is none.

        Raises:
            RunFolderError: There are some, but none is sound.
        """
        if not self._manager.checkpoints:
            return None
        _restore_newest(self._manager.checkpoint, self._manager.checkpoints, whole=True)
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
    checkpoint = tf.train.Checkpoint(round=round_, step=step, **_network_states(learner))
    state = tf.train.get_checkpoint_state(str(folder))
    if state is None:
        raise RunFolderError(f"{folder.parent} has no checkpoint yet; train for a round first")
    path = _restore_newest(checkpoint, state.all_model_checkpoint_paths, whole=False)
    key = "stage/.ATTRIBUTES/VARIABLE_VALUE"
    reader = tf.train.load_checkpoint(path)
    stage = int(reader.get_tensor(key)) if reader.has_tensor(key) else 0  # the first format
    moment = Moment(int(round_.numpy()), stage, int(step.numpy()))
    if not learner.stages(moment.round)[moment.stage].uses_labels:
        raise RunFolderError(
            f"{folder.parent} has not trained on a label yet; train until round 0 has"
        )
    return moment


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


def _restore_newest(checkpoint: tf.train.Checkpoint, paths: Sequence[str], whole: bool) -> str:
    """Restore the last of ``paths`` that is sound.

    Args:
        checkpoint: Objects, all of which must be found.
        paths: Oldest first.
        whole: Whether the objects must also be all that is found.

    Returns:
        The one that was restored.

    Raises:
        RunFolderError: None is sound.
    """
    failures: list[str] = []
    for path in reversed(paths):
        try:
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
