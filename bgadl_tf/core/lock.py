"""A file that one process at a time holds, until it lets go of it or ends, killed or not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

LOCK = ".lock"
"""Its name in the folder of a run or of a search."""


def hold(path: Path) -> int | None:
    """Hold a file, which is made where there is none.

    Who holds it already holds it once more, and lets go of it with either descriptor.

    Returns:
        A descriptor: closing it lets go. None where another process holds the file.

    Raises:
        OSError: It cannot be opened for writing.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Whether another process holds a file; to be asked of files that this one does not hold.

    Raises:
        OSError: It cannot be opened for writing.
    """
    if not path.exists():
        return False
    descriptor = hold(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
