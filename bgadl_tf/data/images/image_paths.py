"""Finding image files in folders. Imports no TensorFlow: clients list folders, too."""

from __future__ import annotations

import os
from pathlib import Path

from bgadl_tf.core.errors import DataError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif"})


def subfolders(folder: Path) -> list[Path]:
    """Folders directly in ``folder``, sorted by name; hidden ones are left out."""
    return [entry for entry in _entries(folder) if entry.is_dir()]


def direct_images(folder: Path) -> list[Path]:
    """Image files directly in ``folder``, sorted by name."""
    return [e for e in _entries(folder) if e.suffix.lower() in SUFFIXES and not e.is_dir()]


def all_images(folder: Path, visited: set[str]) -> list[Path]:
    """Image files anywhere below ``folder``.

    Args:
        folder: Where to look.
        visited: Real paths of folders not to enter again, which ends loops of symbolic links;
            the folders entered are added.
    """
    found = direct_images(folder)
    for sub in subfolders(folder):
        real = os.path.realpath(sub)
        if real not in visited:
            visited.add(real)
            found += all_images(sub, visited)
    return found


def check_regular(path: Path) -> None:
    """Makes sure that a path is a file, which a pipe, on which reading would wait, is not.

    Raises:
        OSError: It is not; the message says what it is.
    """
    if not path.is_file():
        raise OSError("a broken link" if path.is_symlink() else "not a regular file")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"cannot list {folder}: {error.strerror}") from error
