"""Arrays by what they are made of: appended row by row, never changed.

::

    FOLDER/NAME.rows       the rows, one after the other
    FOLDER/NAME.digests    uint64 each: the content that a row was made of

A row counts once its digest is there, which is written when the row is on disk: what a crash or a
full disk leaves behind is written over. Others may read while one appends.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core import durable
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Rows
from bgadl_tf.data.contents import Digests

_DIGEST = np.dtype(np.uint64)


class DigestedRows:
    """Rows ``[M, *shape]`` in a folder.

    Args:
        folder: That exists.
        name: Of the two files.
        shape: Of one row.
        dtype: Of what is stored.
    """

    def __init__(self, folder: Path, name: str, shape: tuple[int, ...], dtype: str) -> None:
        self._rows, self._digests = folder / f"{name}.rows", folder / f"{name}.digests"
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._bytes = math.prod(shape) * self._dtype.itemsize

    def __len__(self) -> int:
        return _size(self._digests) // _DIGEST.itemsize

    def find(self, digests: Digests) -> Rows:
        """Row of each content, int64 [n]; -1 where there is none."""
        count = len(self)
        with _writing(self._digests):
            known = np.fromfile(self._digests, _DIGEST, count) if count else np.empty(0, _DIGEST)
        order = np.argsort(known, kind="stable")
        if not len(order):
            return np.full(len(digests), -1, np.int64)
        places = np.minimum(np.searchsorted(known, digests, sorter=order), len(order) - 1)
        rows = order[places]
        return np.where(known[rows] == digests, rows, -1)

    def array(self) -> NDArray[Any]:
        """``[M, *shape]`` as they are stored, mapped into memory.

        Raises:
            DataError: The file is too short for what it is to hold.
        """
        count = len(self)
        if not count:
            return np.empty((0, *self._shape), self._dtype)
        if _size(self._rows) < count * self._bytes:
            raise DataError(
                f"{self._rows} is cut short: {_size(self._rows)} bytes instead of "
                f"{count * self._bytes}; remove the folder {self._rows.parent}, so that everything "
                "is computed anew"
            )
        return np.memmap(self._rows, self._dtype, "r", shape=(count, *self._shape))

    def append(self, digests: Digests, rows: NDArray[Any]) -> None:
        """Add rows, over what a crash has left behind; on return they are on disk.

        Args:
            digests: ``[n]``.
            rows: ``[n, *shape]`` of the type that is stored.

        Raises:
            DataError: They cannot be written.
        """
        if rows.shape != (len(digests), *self._shape) or rows.dtype != self._dtype:
            raise ValueError(f"rows are {rows.dtype} {rows.shape}")
        count = len(self)
        self.array()  # which looks whether all of them are there
        pieces = (
            (self._rows, self._bytes, rows),
            (self._digests, _DIGEST.itemsize, digests.astype(_DIGEST)),
        )
        for path, size, array in pieces:
            with _writing(path), path.open("ab") as file:
                file.truncate(count * size)
                file.write(np.ascontiguousarray(array).data.cast("B"))
                file.flush()
                os.fsync(file.fileno())
                if not count:
                    durable.sync(path.parent)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot write or read {path}: {error.strerror or error}; what is there is kept: make "
            "room or mend the permissions, then run the same command again to go on"
        ) from error
