"""The run folder: everything a run leaves behind, and all it needs to go on after a crash.

::

    config.json     every setting resolved, versions, devices
    labels.jsonl    the ledger
    rounds.jsonl    one finished round a line
    queries/        what each round asked, with scores and the seed of its MC masks
    generated/      x' of each round, with |x'-x*|, a(x') and a(x*)
    checkpoints/    weights, optimizer states and the round and step they are of
    tensorboard/    every loss and metric
    figures/        learning curve, x* beside x'
    export/         models to be served: classifier/1, generator/1, ...
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import durable
from bgadl_tf.core.errors import RunFolderError, plain
from bgadl_tf.core.types import Json
from bgadl_tf.learners.base import Learner
from bgadl_tf.loop.journal import Generated, Round
from bgadl_tf.runs.config import MACHINE_SETTINGS

SECONDS_BETWEEN_CHECKPOINTS = 60.0

_LOCK = ".lock"
_SUBFOLDERS = ("queries", "generated", "checkpoints", "tensorboard", "figures")


class RunFolder:
    """The files of one run; a ``journal.Journal``.

    Args:
        path: The folder.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rounds: list[Json] = []
        self._manager: tf.train.CheckpointManager | None = None
        self._last_checkpoint = time.monotonic()

    @contextlib.contextmanager
    def opened(self, config: Json) -> Iterator[RunFolder]:
        """Create the folder, or take up the unfinished run in it; nobody else may while it is open.

        Args:
            config: Every setting resolved, and ``versions`` and ``devices``.

        Raises:
            RunFolderError: It holds something else or a run of another configuration, another
                process works in it, or it cannot be written.
        """
        text = json.dumps(config, indent=2) + "\n"
        config = json.loads(text)
        self._refuse_strangers(config)
        with contextlib.ExitStack() as stack:
            with reporting_write_errors(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                lock = stack.enter_context((self.path / _LOCK).open("a"))
                self._lock(lock)
                # Somebody else may have begun a run here since the first look.
                self._refuse_strangers(config)
                if not self._config_file.exists():
                    durable.atomic_write_text(self._config_file, text)
                for name in _SUBFOLDERS:
                    (self.path / name).mkdir(exist_ok=True)
                for folder in (self.path, *(self.path / name for name in _SUBFOLDERS)):
                    for left_behind in durable.temporaries(folder):
                        left_behind.unlink()
                for unfinished in (self.path / "checkpoints").glob("*_temp"):
                    shutil.rmtree(unfinished)
            self._rounds = list(durable.read_json_lines(self.path / "rounds.jsonl").records)
            yield self

    def _lock(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(
                f"another process is working in {self.path}; wait for it or use another --out"
            ) from None

    @property
    def rounds(self) -> list[Json]:
        """Finished rounds, as in ``rounds.jsonl``."""
        return list(self._rounds)

    def config(self) -> Json:
        """Settings of the run, as in ``config.json``.

        Raises:
            RunFolderError: It cannot be read.
        """
        try:
            saved = json.loads(self._config_file.read_text())
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{self._config_file} cannot be read: {error}") from None
        if not isinstance(saved, dict):
            raise RunFolderError(f"{self._config_file} is not a JSON object; it is not a run's")
        return saved

    def track(self, learner: Learner) -> None:
        """Say whose weights and optimizer states the checkpoints are to hold."""
        self._round, self._step = (tf.Variable(0, dtype=tf.int64) for _ in range(2))
        checkpoint = tf.train.Checkpoint(
            round=self._round,
            step=self._step,
            **_network_states(learner),
            **{
                f"optimizer_{name}": _states(optimizer.variables)
                for name, optimizer in learner.optimizers.items()
            },
        )
        self._manager = tf.train.CheckpointManager(
            checkpoint, str(self.path / "checkpoints"), max_to_keep=2
        )

    def read_weights(self, learner: Learner) -> tuple[int, int]:
        """Give a learner the newest weights. Only reads: another process may go on training.

        Returns:
            The round and step they are of.

        Raises:
            RunFolderError: There is no checkpoint, or none that can be read.
        """
        round_, step = (tf.Variable(0, dtype=tf.int64) for _ in range(2))
        checkpoint = tf.train.Checkpoint(round=round_, step=step, **_network_states(learner))
        state = tf.train.get_checkpoint_state(str(self.path / "checkpoints"))
        if state is None:
            raise RunFolderError(f"{self.path} has no checkpoint yet; train for a round first")
        _restore_newest(checkpoint, state.all_model_checkpoint_paths, whole=False)
        return int(round_.numpy()), int(step.numpy())

    # journal.Journal

    def finished_rounds(self) -> int:
        return len(self._rounds)

    def query(self, round_: int) -> Query | None:
        file = self._query_file(round_)
        if not file.exists():
            return None
        saved = json.loads(file.read_text())
        return Query(tuple(saved["ids"]), tuple(saved["scores"]))

    def save_query(self, round_: int, query: Query, mask_seed: int) -> None:
        content = {
            "round": round_,
            "mask_seed": mask_seed,
            "ids": list(query.ids),
            "scores": list(query.scores),
        }
        durable.atomic_write_text(self._query_file(round_), json.dumps(content) + "\n")

    def generated(self, round_: int) -> Generated | None:
        file = self._generated_file(round_)
        if not file.exists():
            return None
        with np.load(file) as saved:
            arrays = dict(saved)
        return Generated(**{**arrays, "ids": tuple(arrays["ids"].tolist())})

    def save_generated(self, round_: int, generated: Generated) -> None:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer, **{**vars(generated), "ids": np.array(generated.ids, dtype=str)}
        )
        durable.atomic_write_bytes(self._generated_file(round_), buffer.getvalue())

    def restore(self) -> tuple[int, int] | None:
        assert self._manager is not None, "track() comes first"
        if not self._manager.checkpoints:
            return None
        _restore_newest(self._manager.checkpoint, self._manager.checkpoints, whole=True)
        return int(self._round.numpy()), int(self._step.numpy())

    def save_weights(self, round_: int, step: int, now: bool) -> None:
        assert self._manager is not None, "track() comes first"
        if not now and time.monotonic() - self._last_checkpoint < SECONDS_BETWEEN_CHECKPOINTS:
            return
        self._round.assign(round_)
        self._step.assign(step)
        with reporting_write_errors(self.path):
            newest = Path(self._manager.save())
            for file in (*newest.parent.glob(f"{newest.name}.*"), newest.parent):
                durable.sync(file)
        self._last_checkpoint = time.monotonic()

    def finish(self, record: Round) -> None:
        durable.append_json_line(self.path / "rounds.jsonl", record.to_json())
        self._rounds.append(record.to_json())

    # Files

    @property
    def _config_file(self) -> Path:
        return self.path / "config.json"

    def _query_file(self, round_: int) -> Path:
        return self.path / "queries" / f"round_{round_:02d}.json"

    def _generated_file(self, round_: int) -> Path:
        return self.path / "generated" / f"round_{round_:02d}.npz"

    def _refuse_strangers(self, config: Json) -> None:
        with reporting_write_errors(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise RunFolderError(f"--out {self.path} is a file; expected a folder")
            present = set(self.path.iterdir()) if self.path.exists() else set()
            # A crash may leave these before config.json is there.
            strange = present - {self.path / _LOCK, *durable.temporaries(self.path)}
        if self._config_file not in present:
            if strange:
                raise RunFolderError(
                    f"--out {self.path} holds {min(strange).name!r} but no config.json; it is "
                    "not a run folder: use an empty or new one"
                )
            return
        saved = self.config()
        different = [
            f"{name} was {saved.get(name)!r}, now {config.get(name)!r}"
            for name in sorted({*saved, *config} - {*MACHINE_SETTINGS})
            if saved.get(name) != config.get(name)
        ]
        if different:
            raise RunFolderError(
                f"--out {self.path} holds a run of another configuration: {'; '.join(different)}; "
                "use its settings to resume it, or another --out"
            )


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


def _restore_newest(checkpoint: tf.train.Checkpoint, paths: Sequence[str], whole: bool) -> None:
    """Restore the last of ``paths`` that is sound.

    Args:
        checkpoint: Objects, all of which must be found.
        paths: Oldest first.
        whole: Whether the objects must also be all that is found.

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
            return
    raise RunFolderError(
        f"no checkpoint can be read: {', '.join(failures)}; restore one from a copy, or "
        "use another --out"
    )


def _network_states(learner: Learner) -> dict[str, list[tf.Variable]]:
    return {f"network_{name}": _states(net.weights) for name, net in learner.networks.items()}


def _states(variables: Iterable[Any]) -> list[tf.Variable]:
    """The TensorFlow variables behind Keras variables, in the order of the network.

    A checkpoint of the network itself would miss, without a word, what lies in lists of layers.
    """
    return [variable.value for variable in variables]
