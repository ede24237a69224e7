"""The files and folders below a folder, under ids. Imports no TensorFlow: clients list, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id

RUN_FILES = frozenset({"plan.json", "rounds.jsonl", "labels.jsonl"})
"""One of them beside a ``config.json`` makes a folder a run folder."""

OF_MACS = "__MACOSX"
"""What macOS adds to a zip: a folder of hidden files, which may be called like images."""

PLACEHOLDERS = frozenset({".ds_store", ".gitkeep", ".keep"})
"""Hidden files of a folder that is meant to be empty."""


class Entry(NamedTuple):
    """One file.

    Attributes:
        id: POSIX path relative to the root, as text; a name in bytes that are no UTF-8 is read
            as Latin-1.
        path: To open it.
    """

    id: Id
    path: str


@dataclass(frozen=True)
class Folder:
    """One folder.

    Attributes:
        name: Its name, as text.
        id: As of a file; empty for the root.
        files: Regular files directly in it, sorted by id.
        folders: Sorted by name.
        hides: Whether something hidden is directly in it, but for ``PLACEHOLDERS``.
    """

    name: str
    id: Id
    files: tuple[Entry, ...]
    folders: tuple[Folder, ...]
    hides: bool = False

    def hides_any(self) -> bool:
        """Whether something hidden is in it or below."""
        return self.hides or any(folder.hides_any() for folder in self.folders)

    def all_files(self) -> Iterator[Entry]:
        """Every file in it or below."""
        yield from self.files
        for folder in self.folders:
            yield from folder.all_files()


class Tree(NamedTuple):
    """A folder and what was left out of it.

    Attributes:
        root: The folder.
        left_out: Why a file or folder is not listed, by its id.
    """

    root: Folder
    left_out: dict[Id, str]


def read_tree(root: Path) -> Tree:
    """Lists everything below a folder, in sorted order.

    Left out are hidden files and folders, what macOS adds to a zip, what is no regular file,
    folders that were entered already (symbolic links may make loops), and run folders.

    Args:
        root: The folder, which exists.

    Raises:
        DataError: A folder cannot be listed, or two names are the same text.
    """
    left_out: dict[Id, str] = {}
    visited = {os.path.realpath(root)}
    return Tree(_read(os.fspath(root), "", "", visited, left_out), left_out)


def _read(path: str, name: str, id_: Id, visited: set[str], left_out: dict[Id, str]) -> Folder:
    try:
        with os.scandir(path) as scan:
            entries = sorted(((as_text(entry.name), entry) for entry in scan), key=lambda e: e[0])
    except OSError as error:
        raise DataError(f"cannot list {path!r}: {error.strerror}") from error
    files, subfolders = [], []
    seen: set[str] = set()
    hides = False
    for text, entry in entries:
        own = f"{id_}/{text}" if id_ else text
        if text in seen:
            raise DataError(f"two files are called {own!r}, one in Latin-1 bytes; rename one")
        seen.add(text)
        if text.startswith("."):
            left_out[own] = "hidden"
            hides = hides or text.lower() not in PLACEHOLDERS
            continue
        if text == OF_MACS:
            left_out[own] = "added to a zip by macOS"
            hides = True
            continue
        try:
            if entry.is_dir():
                subfolders.append((text, own, entry.path))
            elif entry.is_file():
                files.append(Entry(own, entry.path))
            else:
                left_out[own] = "a broken link" if entry.is_symlink() else "not a regular file"
        except OSError as error:  # e.g. of a link to itself
            left_out[own] = error.strerror or "it cannot be looked at"
    folders = []
    for text, own, below in subfolders:
        real = os.path.realpath(below)
        if real in visited:
            left_out[own] = "a link to a folder that is listed already"
        elif is_run_folder(below):
            left_out[own] = "a run folder"
        else:
            visited.add(real)
            folders.append(_read(below, text, own, visited, left_out))
    return Folder(name, id_, tuple(files), tuple(folders), hides)


def is_run_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a run, or what was begun of one, is kept in a folder."""
    present = {file for file in ("config.json", *RUN_FILES) if Path(path, file).exists()}
    return "config.json" in present and bool(present & RUN_FILES)


def as_text(name: str) -> str:
    """A file's name as text that can be written anywhere."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name
