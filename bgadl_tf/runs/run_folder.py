"""The run folder: everything a run leaves behind, and all it needs to go on after a crash.

::

    config.json     every setting resolved, versions, devices; plan.json: what the loop needs of it
    network.json    what the classifier is made of, where it is a user's network
    labels.jsonl    the ledger
    dataset.jsonl   what the dataset was at first, and what changed at later starts
    rounds.jsonl    one finished round a line
    queries/        what each round asked, with scores and the seed of its MC masks
    arrays/         arrays by name and round, e.g. further/, x' of each round with its facts
    checkpoints/    weights, optimizer states and the moment they are of
    tensorboard/    every loss and metric
    figures/        learning curve, x* beside x'
    export/         models to be served: classifier/1, generator/1, ...
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bgadl_tf.core import durable
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.lock import LOCK
from bgadl_tf.core.types import Json
from bgadl_tf.loop.checkpoints import reporting_write_errors
from bgadl_tf.loop.folder_journal import FolderJournal
from bgadl_tf.runs.config import GROWING_SETTINGS, MACHINE_SETTINGS

FORMAT = 2
"""Of run folders. In the first, every round drew new weights, which no version does since."""

_SUBFOLDERS = ("tensorboard", "figures")


class RunFolder:
    """The files of one run.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = FolderJournal(path)

    @contextlib.contextmanager
    def opened(self, config: Json, defaults: Json) -> Iterator[RunFolder]:
        """Create the folder, or take up the unfinished run in it; nobody else may while it is open.

        Args:
            config: Every setting resolved, and ``versions`` and ``devices``.
            defaults: What settings are that an older version did not know.

        Raises:
            RunFolderError: It holds something else or a run of another configuration, another
                process works in it, or it cannot be written.
        """
        text = json.dumps({"format": FORMAT, **config}, indent=2) + "\n"
        config, defaults = json.loads(text), json.loads(json.dumps(defaults))
        self._refuse_others(config, defaults)
        with contextlib.ExitStack() as stack:
            with reporting_write_errors(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
            stack.enter_context(self.journal.opened())
            # Somebody else may have begun a run here since the first look.
            self._refuse_others(config, defaults)
            with reporting_write_errors(self.path):
                if not self._config_file.exists():
                    durable.atomic_write_text(self._config_file, text)
                for name in _SUBFOLDERS:
                    (self.path / name).mkdir(exist_ok=True)
            yield self

    def check(self, config: Json, defaults: Json) -> None:
        """Look whether ``opened`` would refuse this folder, before anything else is done.

        Raises:
            RunFolderError: As ``opened``.
        """
        config, defaults = json.loads(json.dumps([{"format": FORMAT, **config}, defaults]))
        self._refuse_others(config, defaults)

    def resumed(self) -> Json:
        """Settings of the run that is to go on; none where there is none yet."""
        with reporting_write_errors(self.path):
            begun = self._config_file.exists()
        return self.config() if begun else {}

    def update(self, config: Json, fingerprint: str) -> None:
        """Note what a run is by now: those of its settings that may become others.

        Raises:
            RunFolderError: It cannot be written.
        """
        saved = self.config()
        now = {**config, "fingerprint": fingerprint}
        updated = {**saved, **{name: now[name] for name in GROWING_SETTINGS if name in now}}
        updated = json.loads(json.dumps(updated))
        if updated != saved:
            text = json.dumps(updated, indent=2) + "\n"
            durable.atomic_write_text(self._config_file, text)

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

    @property
    def _config_file(self) -> Path:
        return self.path / "config.json"

    def _refuse_others(self, config: Json, defaults: Json) -> None:
        """Refuse a folder that is not this run's."""
        with reporting_write_errors(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise RunFolderError(f"--out {self.path} is a file; expected a folder")
            present = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        if self._config_file.name not in present:
            # A crash may leave what is made before config.json is there.
            own = {path.name for path in durable.temporaries(self.path)}
            if others := present - own - {LOCK, *self.journal.subfolders}:
                raise RunFolderError(
                    f"--out {self.path} holds {min(others)!r} but no config.json; it is "
                    "not a run folder: use an empty or new one"
                )
            return
        saved = self.config()
        if saved.get("format", 1) != FORMAT:
            begun = saved.get("versions", {}).get("bgadl_tf", "an older version")
            raise RunFolderError(
                f"--out {self.path} holds a run of bgadl_tf {begun}, whose rounds began from "
                "weights drawn anew, and not from a snapshot as they do now: finish it with that "
                "version, or start anew in another --out ('bgadl export' still reads it)"
            )
        rounds, made = config.get("rounds", 0), len(self.journal.finished_rounds()) - 1
        if rounds < made:
            raise RunFolderError(
                f"--rounds is {rounds}, but the run in {self.path} has made {made} already; "
                "expected as many or more"
            )
        different = differences(saved, config, defaults)
        before, now = saved.get("dataset"), config.get("dataset")
        if before != now and not self.journal.dataset_starts():
            # Of an older version: whether it is the same data cannot be told.
            different.append(f"dataset was {before!r}, now {now!r}")
        if saved.get("labels") and not config.get("labels"):
            different.append(f"labels was {saved['labels']!r}, now none")
        if different:
            raise RunFolderError(
                f"--out {self.path} holds a run of another configuration: {'; '.join(different)}; "
                "use its settings to resume it, or another --out"
            )


def differences(saved: Json, config: Json, defaults: Json) -> list[str]:
    """Settings in which a saved run differs from one that is asked for, in words.

    A setting that the saved run does not know has its default there.
    """
    found = []
    for name in sorted({*saved, *config} - {*MACHINE_SETTINGS, *GROWING_SETTINGS}):
        before, now = _completed(saved.get(name), defaults.get(name)), config.get(name)
        if before != now:
            found.append(f"{name} was {before!r}, now {now!r}")
    return found


def _completed(saved: Any, default: Any) -> Any:
    """What was saved, with the defaults of whatever it lacks at any depth."""
    if saved is None:
        return default
    if not isinstance(saved, dict) or not isinstance(default, dict):
        return saved
    missing = {name: value for name, value in default.items() if name not in saved}
    return missing | {name: _completed(value, default.get(name)) for name, value in saved.items()}
