"""Features of a dataset in a folder of arrays, as ``embeddings:FOLDER`` reads them.

::

    FOLDER/train_embeddings.npy, train_ids.txt, train_labels.npy     as of any folder of vectors
    FOLDER/test_embeddings.npy, test_ids.txt, test_labels.npy
    FOLDER/classes.txt
    FOLDER/train_views.npy          [N, V, F], where there are views
    FOLDER/train_digests.npy, test_digests.npy     uint64 [N], of the images
    FOLDER/backbone.keras           what made them
    FOLDER/embedding.json           what they are, and whether all of it is there; see ``facts``
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core import durable
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embeddings.facts import BACKBONE, FILE, Facts
from bgadl_tf.data.embeddings.hold import LOCK
from bgadl_tf.data.embeddings.mapped import mapped
from bgadl_tf.data.embeddings.rows import DigestedRows
from bgadl_tf.data.embeddings.store import FeatureStore, Wanted

WORK = ".work"
"""Folder with what is computed already, until all of it is."""

OWN_FILES = (
    FILE, BACKBONE, LOCK, WORK, "train_views.npy", "train_digests.npy", "test_digests.npy",
)  # fmt: skip
"""What there is beside the files of any folder of vectors."""

CHUNK_BYTES = 2**24
"""What is copied in one piece."""


def check_names(images: Dataset) -> None:
    """Look whether all ids and classes can be lines of text files.

    Raises:
        DataError: One cannot.
    """
    for names in (images.class_names, images.train.ids, images.test.ids):
        _lines(names)


def is_of(folder: Path, images: Dataset, parts: list[Wanted]) -> bool:
    """Whether a complete folder is of just these images, in this order, with these labels."""
    if _content(folder / "classes.txt") != _lines(images.class_names):
        return False
    if (folder / "test_embeddings.npy").exists() != (len(parts) == 2):
        return False
    for name, part in zip(("train", "test"), parts, strict=False):
        same = (
            np.array_equal(mapped(folder / f"{name}_digests.npy"), part.digests)
            and np.array_equal(mapped(folder / f"{name}_labels.npy"), part.images.labels)
            and _content(folder / f"{name}_ids.txt") == _lines(part.images.ids)
        )
        if not same:
            return False
    return True


def take_over(folder: Path, store: FeatureStore, parts: list[Wanted]) -> None:
    """Put the features of a complete folder that are wanted again into a store.

    Raises:
        DataError: A file is missing or damaged, or the disk is full.
    """
    wanted = np.unique(np.concatenate([part.digests for part in parts]))
    for name in ("train", "test"):
        if not (folder / f"{name}_embeddings.npy").exists():
            continue
        digests = mapped(folder / f"{name}_digests.npy")
        _copy(mapped(folder / f"{name}_embeddings.npy"), digests, wanted, store.features)
        if name == "train" and store.views:
            views = mapped(folder / "train_views.npy")
            for view, kept in enumerate(store.views):
                _copy(views[:, view], digests, wanted, kept)


def _copy(
    array: NDArray[Any], digests: NDArray[Any], wanted: NDArray[Any], into: DigestedRows
) -> None:
    size = _rows_of_a_piece(array)
    for start in range(0, len(array), size):
        piece = digests[start : start + size]
        new = np.isin(piece, wanted) & (into.find(piece) < 0)
        if new.any():
            into.append(piece[new], array[start : start + size][new])


def write(folder: Path, images: Dataset, parts: list[Wanted], store: FeatureStore) -> Facts:
    """Write the arrays of a dataset whose features are all in a store.

    Returns:
        The facts of the folder, which is complete now.

    Raises:
        DataError: An id cannot be a line of a file.
        RunFolderError: A file cannot be written.
    """
    texts = {"classes.txt": _lines(images.class_names)}
    for name, part in zip(("train", "test"), parts, strict=False):
        texts[f"{name}_ids.txt"] = _lines(part.images.ids)
    facts = dataclasses.replace(
        store.facts, train=len(images.train), test=len(images.test), complete=False
    )
    for path in durable.temporaries(folder):  # of a crash; they may be large
        path.unlink(missing_ok=True)
    facts.write(folder)
    for name, part in zip(("train", "test"), parts, strict=False):
        _write_rows(folder / f"{name}_embeddings.npy", [store.features], part)
        if part.with_views and store.views:
            _write_rows(folder / f"{name}_views.npy", store.views, part, (len(store.views),))
        _write_array(folder / f"{name}_digests.npy", part.digests)
        _write_array(folder / f"{name}_labels.npy", part.images.labels)
    if len(parts) == 1:
        for path in folder.glob("test_*"):
            path.unlink()
    for name, text in texts.items():
        durable.atomic_write_bytes(folder / name, text)
    facts = dataclasses.replace(facts, complete=True)
    facts.write(folder)
    return facts


def _write_rows(
    path: Path, kept: Sequence[DigestedRows], part: Wanted, each: tuple[int, ...] = ()
) -> None:
    """``[N, *each, F]``, where what is kept in several places comes side by side."""
    arrays = [rows.array() for rows in kept]
    places = [rows.find(part.digests) for rows in kept]
    count, width, size = len(part.digests), arrays[0].shape[1], _rows_of_a_piece(arrays[0])

    header = {"descr": arrays[0].dtype.str, "fortran_order": False, "shape": (count, *each, width)}
    with durable.replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, size):
            pieces = zip(arrays, places, strict=True)
            piece = np.stack([one[rows[start : start + size]] for one, rows in pieces], axis=1)
            file.write(np.ascontiguousarray(piece).data.cast("B"))


def _write_array(path: Path, array: NDArray[Any]) -> None:
    with durable.replacing(path) as file:
        np.save(file, array)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _rows_of_a_piece(array: NDArray[Any]) -> int:
    return max(1, CHUNK_BYTES // max(1, int(np.prod(array.shape[1:])) * array.itemsize))


def _lines(names: tuple[Id, ...]) -> bytes:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            pass
        else:
            if name.strip() and len(name.splitlines()) == 1:
                continue
        raise DataError(
            f"the name {name!r} cannot be a line of a text file, as ids and classes in a folder "
            "of features are; rename it"
        )
    return "".join(f"{name}\n" for name in names).encode()
