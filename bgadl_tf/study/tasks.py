"""One run of a study: where it is, and the command that makes it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.lock import LOCK
from bgadl_tf.runs.config import RunConfig, flag
from bgadl_tf.study import completeness, configurations, runs
from bgadl_tf.study.protocol import Protocol
from bgadl_tf.study.shard import Shard


@dataclass(frozen=True)
class Task:
    """One run that is to be made.

    Attributes:
        arm: Its arm, by its path in the study's folder, see ``Arm.path``.
        folder: Its run folder.
        config: Its settings, seed included.
        exports: Whether it is to end with an export.
    """

    arm: str
    folder: Path
    config: RunConfig
    exports: bool = False

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.arm} seed {self.config.seed}"

    @property
    def study(self) -> Path:
        """Folder of the study."""
        return self.folder.parents[len(Path(self.arm).parts)]

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder.with_name(self.folder.name + ".log")

    @property
    def lock(self) -> Path:
        """What a process that works in its folder holds."""
        return self.folder / LOCK

    @property
    def flags(self) -> list[str]:
        """Flags of ``bgadl train``: those that differ from their defaults, and ``--out``."""
        return [*flags_of(self.config), "--out", str(self.folder)]

    def run(self) -> runs.Run:
        """The run as far as it has come.

        Raises:
            RunFolderError: Its folder is damaged, or holds a run of other settings.
        """
        run = runs.read(self.folder)
        if other := configurations.differences(run, self.config):
            raise RunFolderError(
                f"{self.folder} holds a run of another configuration: {'; '.join(other)}; it is "
                "left as it is: move it away, or choose another folder"
            )
        return run

    @property
    def begun(self) -> bool:
        """Whether there is something of it already, finished or not."""
        return (self.folder / "config.json").exists()

    def trained(self) -> bool:
        """Whether every round is over.

        Raises:
            RunFolderError: As ``run``.
        """
        if not self.begun:
            return False
        run = self.run()
        # A study may have been given more rounds since.
        return run.finished and (run.is_reference or len(run.rounds) > self.config.rounds)

    def finished(self) -> bool:
        """Whether the run is over, and what is made after its last round is there.

        Raises:
            RunFolderError: As ``run``.
        """
        if not self.trained():
            return False
        run = self.run()
        exported = not self.exports or completeness.is_exported(run)
        return exported and completeness.is_drawn(run)

    def share_made(self) -> float:
        """The share of its rounds that are over, 1 where the run is.

        Raises:
            RunFolderError: As ``run``.
        """
        if self.finished():
            return 1.0
        if not self.begun:
            return 0.0
        # One that was begun for more rounds may have all that the study asks for.
        return min(len(self.run().rounds) / (self.config.rounds + 1), 0.99)

    def last_words(self) -> str:
        """The last line it printed that says something; of a progress bar, what it showed last."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
        return lines[-1] if lines else ""


def tasks_of(
    protocol: Protocol,
    out: Path,
    data_dir: str | None = None,
    shard: Shard | None = None,
    *,
    exports: bool = False,
) -> list[Task]:
    """Runs of a protocol, in the order in which they are to be made.

    Args:
        protocol: Arms and seeds.
        out: Folder of the study.
        data_dir: Where this machine keeps prepared TFDS datasets.
        shard: Which of them; None for all.
        exports: Whether they are to end with an export.
    """
    return [
        Task(
            arm.path,
            out / arm.path / f"seed_{seed}",
            dataclasses.replace(arm.config, seed=seed, data_dir=data_dir),
            exports,
        )
        for arm, seed in (shard or Shard()).runs(protocol)
    ]


def flags_of(config: RunConfig) -> Iterator[str]:
    """Flags of ``bgadl train`` that differ from their defaults, and the seed's."""
    for field in dataclasses.fields(RunConfig):
        value = getattr(config, field.name)
        if field.name == "seed" or value != field.default:
            if value is True:
                yield flag(field.name)
            else:
                for item in value if isinstance(value, tuple) else (value,):
                    yield f"{flag(field.name)}={item}"
