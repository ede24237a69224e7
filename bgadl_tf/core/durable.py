"""Files that survive a crash: atomic replacement, and JSON lines flushed before use."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from bgadl_tf.core.errors import LedgerError, RunFolderError
from bgadl_tf.core.types import Json

_TEMPORARY = ".*.tmp"
"""Names of files that are being written; a crash leaves them behind."""


class JsonLines(NamedTuple):
    """What a file of JSON lines held.

    Attributes:
        records: One object a line.
        mended: A last line that a crash had cut short was dropped.
    """

    records: tuple[Json, ...]
    mended: bool


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of ``path`` at the end, or nothing has changed.

    Raises:
        RunFolderError: The file cannot be written.
    """
    with reporting(path):
        descriptor, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".tmp", dir=path.parent
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), _mode_of(path))
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync(path.parent)


def atomic_write_bytes(path: Path, content: bytes) -> None:
    """Replaces ``path`` by ``content``: afterwards either all of it is there or nothing changed.

    Raises:
        RunFolderError: The file cannot be written.
    """
    with replacing(path) as file:
        file.write(content)


def atomic_write_text(path: Path, text: str) -> None:
    """``atomic_write_bytes`` of ``text`` in UTF-8, line endings as given.

    Raises:
        RunFolderError: The file cannot be written.
    """
    atomic_write_bytes(path, text.encode("utf-8", "surrogateescape"))


def temporaries(folder: Path) -> list[Path]:
    """What writers that crashed have left in ``folder``."""
    return sorted(folder.glob(_TEMPORARY))


def sync(path: Path) -> None:
    """Makes a file's content, or the names of a folder's files, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_json_line(path: Path, record: Json) -> None:
    """``append_json_lines`` of one record."""
    append_json_lines(path, [record])


def append_json_lines(path: Path, records: Sequence[Json]) -> None:
    """Appends one line a record; on return they are on disk, on failure the file is as before.

    Raises:
        LedgerError: The file ends in a line that was cut short; ``read_json_lines`` mends it.
        RunFolderError: The file cannot be written.
        ValueError: A record holds a number that is not finite.
    """
    content = "".join(json.dumps(record, allow_nan=False) + "\n" for record in records).encode()
    with reporting(path):
        created = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            length = os.fstat(descriptor).st_size
            if length and os.pread(descriptor, 1, length - 1) != b"\n":
                raise LedgerError(f"the last line of {path} is cut short; read the file to mend it")
            try:
                _write_all(descriptor, content)
                os.fsync(descriptor)
            except BaseException:
                os.ftruncate(descriptor, length)
                raise
        finally:
            os.close(descriptor)
        if created:
            sync(path.parent)


def read_json_lines(path: Path, *, mend: bool = True) -> JsonLines:
    """Reads a file of JSON lines; one that does not exist holds none.

    A last line without its newline, or one that is not JSON, is what a crash leaves behind:
    it is dropped.

    Args:
        path: The file.
        mend: Also cut the dropped line off the file. Pass False to look at a file that
            another process may be appending to.

    Raises:
        LedgerError: A line before the last is not JSON, or any line is not an object.
        RunFolderError: The file cannot be read, or not be mended.
    """
    with reporting(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return JsonLines((), False)
    lines = content.split(b"\n")
    records: list[Json] = []
    sound = 0
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = json.loads(line.decode())
        except (ValueError, RecursionError):
            if number == len(lines) - 1 and not lines[-1]:
                break
            raise LedgerError(
                f"{path}, line {number} is not JSON: {line[:60]!r}; "
                "restore the file from a copy, or delete that line if its content is lost"
            ) from None
        if not isinstance(record, dict):
            raise LedgerError(
                f"{path}, line {number} is {line[:60]!r}; expected a JSON object: "
                "mend or delete that line"
            )
        records.append(record)
        sound += len(line) + 1
    mended = sound < len(content)
    if mended and mend:
        with reporting(path), path.open("r+b") as file:
            file.truncate(sound)
            os.fsync(file.fileno())
    return JsonLines(tuple(records), mended)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _mode_of(path: Path) -> int:
    """Permissions of ``path``, or what a new file gets; ``mkstemp`` alone would make it private."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextlib.contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turns what Python raises where it cannot write or read into a ``RunFolderError``."""
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            f"cannot write or read {path}: {error.strerror or error}; check the folder's "
            "permissions and the free space on its disk"
        ) from error
