"""Numbered model folders that a server may be watching: each appears whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bgadl_tf.core import durable

_LOCK = ".lock"
_UNFINISHED = ".tmp-export"
"""In a model's folder, where servers look for numbers alone, and on the same volume."""


@contextmanager
def unfinished(out: Path, models: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Folders to write new versions of models into; they vanish with the context.

    One process at a time has them; others wait. So what an export that crashed left is nobody's.

    Args:
        out: Holds one folder a model.
        models: Names of the models.

    Raises:
        OSError: They cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_behind in out.glob(f"*/{_UNFINISHED}"):
            shutil.rmtree(left_behind)
        folders = {model: out / model / _UNFINISHED for model in models}
        try:
            for folder in folders.values():
                folder.mkdir(parents=True)
            yield folders
        finally:
            for folder in folders.values():
                shutil.rmtree(folder, ignore_errors=True)
                if folder.parent.is_dir() and not any(folder.parent.iterdir()):
                    folder.parent.rmdir()


def publish(folders: Sequence[Path]) -> int:
    """Give finished folders the next number that is free for all of them.

    Args:
        folders: As ``unfinished`` gave them. Renaming the first claims the number.

    Returns:
        The number.

    Raises:
        OSError: A folder cannot be renamed; no number is taken.
    """
    for folder in folders:
        _sync(folder)
    number = 1 + max((n for folder in folders for n in versions(folder.parent)), default=0)
    done: list[Path] = []
    try:
        for folder in folders:
            number = _rename(folder, number, may_skip=not done)
            done.append(folder.parent / str(number))
            durable.sync(folder.parent)
    except BaseException:
        for published in done:
            shutil.rmtree(published, ignore_errors=True)
        raise
    return number


def versions(model: Path) -> list[int]:
    """Numbers that are taken in a model's folder, ascending."""
    if not model.is_dir():
        return []
    return sorted(int(entry.name) for entry in model.iterdir() if entry.name.isdecimal())


def _rename(folder: Path, number: int, *, may_skip: bool) -> int:
    while True:
        try:
            folder.rename(folder.parent / str(number))
        except OSError as error:
            if not may_skip or error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            number += 1
        else:
            return number


def _sync(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for path in (*(Path(parent, name) for name in names), Path(parent)):
            durable.sync(path)
