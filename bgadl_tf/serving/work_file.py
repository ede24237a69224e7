"""Scores on disk as they come, so that a ranking that was stopped goes on where it was."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from bgadl_tf.core import durable
from bgadl_tf.core.errors import ConfigError, LedgerError, RunFolderError
from bgadl_tf.core.types import Id, Json
from bgadl_tf.serving.client.pool import Failed, Outcome, Scored

FORMAT = 1


class WorkFile:
    """JSON lines: a header that says what is scored by what, then one outcome a line.

    Attributes:
        path: The file.
        header: Its first line; None before ``begin``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: Json | None = None
        self._outcomes: dict[Id, Outcome] = {}

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path, *, restart: bool) -> Iterator[Self]:
        """The file with what an earlier process wrote, for this process alone.

        Args:
            path: Where it is, or will be.
            restart: Forget what is in it.

        Raises:
            RunFolderError: Another process works on it, or it cannot be read or written.
            LedgerError: It is damaged.
        """
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(path.open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if restart:
                    lock.truncate(0)
            except BlockingIOError:
                raise RunFolderError(
                    f"another process is writing {path}; wait for it or use another --out"
                ) from None
            except OSError as error:
                raise RunFolderError(f"cannot write {path}: {error.strerror}") from error
            file = cls(path)
            file._read()
            if file.header is not None and not file.outcomes:
                # A process that was killed before its first score leaves nothing to go on with.
                lock.truncate(0)
                file.header = None
            try:
                yield file
            finally:
                # What holds no score is of no use, and would look like an unfinished ranking.
                if not file.outcomes:
                    path.unlink(missing_ok=True)

    @property
    def outcomes(self) -> Mapping[Id, Outcome]:
        """What is known of each image."""
        return self._outcomes

    def begin(self, header: Json) -> None:
        """Writes the header of a new ranking."""
        self.header = {"format": FORMAT, **header}
        durable.append_json_line(self.path, self.header)
        durable.sync(self.path.parent)

    def check(self, expected: Json) -> None:
        """Refuses to go on with a ranking of something else.

        Args:
            expected: Entries that the header must have.

        Raises:
            ConfigError: It has others.
        """
        header = self.header or {}
        for name, value in expected.items():
            if header.get(name) != value:
                raise ConfigError(
                    f"{self.path} holds scores of an unfinished ranking whose {name} is "
                    f"{header.get(name)!r}, not {value!r}; repeat that command to finish it, or "
                    "add --restart to forget it"
                )

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Appends outcomes; on return they are on disk."""
        durable.append_json_lines(self.path, [outcome._asdict() for outcome in outcomes])
        self._outcomes |= {outcome.id: outcome for outcome in outcomes}

    def remove(self) -> None:
        """Deletes the file when the ranking is written."""
        self.path.unlink(missing_ok=True)
        durable.sync(self.path.parent)

    def _read(self) -> None:
        records = durable.read_json_lines(self.path).records
        if not records:
            return
        self.header = records[0]
        if self.header.get("format") != FORMAT:
            raise LedgerError(
                f"{self.path} does not begin like scores of an unfinished ranking; move it away, "
                "or add --restart to overwrite it"
            )
        for number, record in enumerate(records[1:], start=2):
            try:
                outcome: Outcome = Failed(**record) if "error" in record else Scored(**record)
            except TypeError as error:
                raise LedgerError(
                    f"{self.path}, line {number} is no score: {error}; delete that line"
                ) from error
            self._outcomes[outcome.id] = outcome
