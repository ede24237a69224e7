"""What examples are made of, in a number each, by which the same data is recognised again."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Rows
from bgadl_tf.data.source import ExampleSource

Digests = NDArray[np.uint64]
"""uint64 [N]: one number for the content of each example."""

CHUNK = 256
"""Examples that are digested in one piece."""


class Contents(ABC):
    """Digests of examples, and stamps: what tells cheaply that a digest cannot have changed."""

    @abstractmethod
    def stamps(self, rows: Rows) -> Digests | None:
        """Size and time of the file that each example is in, as a number; None without files."""

    @abstractmethod
    def digests(self, rows: Rows) -> Digests:
        """Of the content of each example; reads all of it.

        Raises:
            DataError: An example cannot be read.
        """

    def part(self, rows: Rows) -> Contents:
        """Those of some examples, under new rows."""
        return _Part(self, rows)


class _Part(Contents):
    def __init__(self, whole: Contents, rows: Rows) -> None:
        self._whole, self._rows = whole, rows

    def stamps(self, rows: Rows) -> Digests | None:
        return self._whole.stamps(self._rows[rows])

    def digests(self, rows: Rows) -> Digests:
        # What stands there several times is read once.
        growing, places = np.unique(self._rows[rows], return_inverse=True)
        return self._whole.digests(growing)[places]


class RowContents(Contents):
    """Of examples wherever they are: their pixels or components.

    Args:
        source: The examples.
        file: That all of them are in, if they are in one.
    """

    def __init__(self, source: ExampleSource, file: str | os.PathLike[str] | None = None) -> None:
        self._source, self._file = source, file

    def stamps(self, rows: Rows) -> Digests | None:
        if self._file is None:
            return None
        return np.full(len(rows), _stamp(os.fspath(self._file)), np.uint64)

    def digests(self, rows: Rows) -> Digests:
        digests = np.empty(len(rows), np.uint64)
        for start in range(0, len(rows), CHUNK):
            piece = slice(start, start + CHUNK)
            examples = np.ascontiguousarray(self._source[rows[piece]])
            digests[piece] = [digest_of(example.data.cast("B")) for example in examples]
        return digests


class FileContents(Contents):
    """Of examples in files of their own: the bytes of these.

    Args:
        paths: ``[N]``, to open them.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def stamps(self, rows: Rows) -> Digests | None:
        return np.array([_stamp(self._paths[row]) for row in rows], np.uint64)

    def digests(self, rows: Rows) -> Digests:
        parts = np.array_split(rows, max(1, len(rows) // CHUNK))
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            return np.concatenate([*threads.map(self._some, parts)])

    def _some(self, rows: Rows) -> Digests:
        return np.array([_file_digest(self._paths[row]) for row in rows], np.uint64)


class JoinedContents(Contents):
    """Of several sets of examples, one after the other.

    Args:
        parts: Each with its number of examples.
    """

    def __init__(self, parts: Sequence[tuple[Contents, int]]) -> None:
        self._parts = [part for part, _ in parts]
        self._firsts = np.cumsum([0, *(count for _, count in parts)])

    def stamps(self, rows: Rows) -> Digests | None:
        stamps = np.empty(len(rows), np.uint64)
        for number, part in enumerate(self._parts):
            here, own = self._own(number, rows)
            found = part.stamps(own)
            if found is None:
                return None
            stamps[here] = found
        return stamps

    def digests(self, rows: Rows) -> Digests:
        digests = np.empty(len(rows), np.uint64)
        for number, part in enumerate(self._parts):
            here, own = self._own(number, rows)
            if here.any():
                digests[here] = part.digests(own)
        return digests

    def _own(self, number: int, rows: Rows) -> tuple[NDArray[np.bool_], Rows]:
        here = (rows >= self._firsts[number]) & (rows < self._firsts[number + 1])
        return here, rows[here] - self._firsts[number]


def digest_of(content: bytes | memoryview) -> int:
    """64 bits of a cryptographic hash: a million examples have a clash once in 10^7 datasets."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _stamp(path: str) -> int:
    try:
        about = os.stat(path)  # noqa: PTH116 - of very many files
    except OSError as error:
        raise DataError(f"{path!r} is gone: {error.strerror}") from error
    return digest_of(f"{about.st_size} {about.st_mtime_ns}".encode())


def _file_digest(path: str) -> int:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path object costs as much as reading
            return int.from_bytes(
                hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).digest(), "little"
            )
    except OSError as error:
        raise DataError(f"{path!r} cannot be read: {error.strerror}") from error
