"""A folder that one process at a time writes into, while others wait."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from bgadl_tf.core.errors import DataError

LOCK = ".lock"

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder; waits, and says so, while another process does.

    Args:
        folder: Is made where there is none.

    Raises:
        DataError: It cannot be written.
    """
    lock = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        _wait_for(lock, folder)
    except OSError as error:
        if lock is not None:
            os.close(lock)
        raise DataError(
            f"features cannot be kept in {folder}: {error.strerror}; expected a folder that can be "
            "written: mend its permissions, or name another one"
        ) from error
    try:
        yield
    finally:
        os.close(lock)


def _wait_for(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.warning("another process computes the features in %s: waiting for it", folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
