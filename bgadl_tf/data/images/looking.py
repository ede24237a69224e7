"""Looking at many files: which are images, and what these say of themselves. No TensorFlow."""

from __future__ import annotations

import io
import os
import stat
import sys
import warnings
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from tqdm import tqdm

from bgadl_tf.core.types import Id
from bgadl_tf.data.images import formats, reading
from bgadl_tf.data.images.header import Header, UnreadableError
from bgadl_tf.data.images.tree import Entry

AT_ONCE = 2**16
"""Bytes of a file that are read in one piece; most headers, and many a file, are in them."""


class Looked(NamedTuple):
    """What files are.

    Attributes:
        headers: Of every image that can be read, as far as headers tell; in the order given.
        unreadable: Why a file that should be an image cannot be read, by its id.
        others: What a file is that is no image, by its id.
    """

    headers: dict[Id, Header]
    unreadable: dict[Id, str]
    others: dict[Id, str]


def look_at(entries: Sequence[Entry]) -> Looked:
    """Looks at files, each of which is opened once; a bar on stderr shows how far it is.

    Args:
        entries: The files.
    """
    looked = Looked({}, {}, {})
    known: dict[Header, Header] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of strange tags, which no one can mend
        bar = tqdm(entries, "looking at files", unit="file", file=sys.stderr, disable=None, delay=1)
        for id_, path in bar:
            try:
                header = header_of(path)
            except reading.NotReadError as error:
                expected = looked.unreadable if promises_image(id_) else looked.others
                expected[id_] = str(error)
            except UnreadableError as error:
                looked.unreadable[id_] = str(error)
            else:
                # Most images are alike, and there may be a million.
                looked.headers[id_] = known.setdefault(header, header)
    return looked


def header_of(path: str) -> Header:
    """The header of one file.

    Raises:
        NotReadError: As ``reading.read_header``, or the file cannot be opened or read.
        UnreadableError: As ``reading.read_header``.
    """
    try:
        with open_regular(path) as file:
            start = file.read(AT_ONCE)
            if len(start) < AT_ONCE:
                return reading.read_header(io.BytesIO(start))
            return reading.read_header(file)
    except UnreadableError:
        raise
    except OSError as error:
        raise reading.NotReadError(error.strerror or str(error)) from error


def open_regular(path: str) -> BinaryIO:
    """Opens a file, but no pipe, on which reading would wait.

    Raises:
        OSError: It cannot be opened; a ``NotReadError`` where it is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise reading.NotReadError("not a regular file")
        return open(descriptor, "rb")  # noqa: PTH123 - a descriptor, not a path
    except BaseException:
        os.close(descriptor)
        raise


def promises_image(id_: Id) -> bool:
    """Whether the name of a file says that it is an image."""
    return os.path.splitext(id_)[1].lower() in formats.SUFFIXES  # noqa: PTH122 - of very many ids
