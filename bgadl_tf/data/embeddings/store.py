"""Features of images, and of views of them, by the content of the image.

::

    FOLDER/embedding.json                     what they are, see ``facts``
    FOLDER/backbone.keras                     the backbone
    FOLDER/features.rows, features.digests    one row [F] for each content
    FOLDER/views.rows, views.digests          [V, F] for each that has been in a training set
    FOLDER/contents.rows, contents.digests    content of each file by its id and stamp

An image that is renamed, moved from the training set to the test set, or there twice, is known.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Floats, Id, Rows
from bgadl_tf.data.contents import Digests, digest_of
from bgadl_tf.data.embeddings.facts import Facts
from bgadl_tf.data.embeddings.rows import DigestedRows
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.vectors import StoredVectors


class Wanted(NamedTuple):
    """A set of images whose features are asked for.

    Fields:
        images: The images.
        digests: ``[N]`` of their contents.
        with_views: Whether views of them are, too.
    """

    images: ExampleSet
    digests: Digests
    with_views: bool


class Known(NamedTuple):
    """Contents that were read just now, to be known when they are asked for again.

    Fields:
        keys: ``[n]``, of ids and stamps.
        digests: ``[n]``.
    """

    keys: Digests
    digests: Digests


class FeatureStore:
    """The features in a folder.

    Args:
        folder: That exists.
        facts: What they are.
    """

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder, self.facts = folder, facts
        width = facts.features
        self.features = DigestedRows(folder, "features", (width,), facts.store)
        self.views = (
            DigestedRows(folder, "views", (facts.views, width), facts.store)
            if facts.views
            else None
        )

        self.contents = DigestedRows(folder, "contents", (), "uint64")

    def digests_of(
        self, images: ExampleSet, read: Callable[[Rows], Digests]
    ) -> tuple[Digests, Known]:
        """Contents of images; those of files that have not changed are not read again.

        Args:
            images: The images.
            read: Digests of rows, where they are not known.

        Returns:
            uint64 ``[N]``, and what was read.

        Raises:
            DataError: An image cannot be read.
        """
        rows = np.arange(len(images), dtype=np.int64)
        stamps = images.known_by.stamps(rows)
        none = np.empty(0, np.uint64)
        if stamps is None:
            return read(rows), Known(none, none)
        stamped = zip(images.ids, stamps.tolist(), strict=True)
        keys = np.array(
            [
                digest_of(f"{id_}\0{stamp}".encode("utf-8", "surrogateescape"))
                for id_, stamp in stamped
            ],
            np.uint64,
        )
        places = self.contents.find(keys)
        new = places < 0
        digests = np.empty(len(images), np.uint64)
        digests[~new] = self.contents.array()[places[~new]]
        digests[new] = read(rows[new])
        return digests, Known(keys[new], digests[new])

    def remember(self, known: Known) -> None:
        """Keep what was read; only where nobody else writes.

        Raises:
            DataError: It cannot be written.
        """
        new = self.contents.find(known.keys) < 0
        if new.any():
            self.contents.append(known.keys[new], known.digests[new])

    def missing(self, wanted: Wanted) -> Rows:
        """Rows of images that have no features here, or no views; one for each content."""
        lacking = self.features.find(wanted.digests) < 0
        if wanted.with_views and self.views is not None:
            lacking |= self.views.find(wanted.digests) < 0
        rows = np.flatnonzero(lacking)
        _, firsts = np.unique(wanted.digests[rows], return_index=True)
        return rows[np.sort(firsts)]

    def add(self, digests: Digests, features: Floats, views: Floats | None) -> None:
        """Keep features of new contents; on return they are on disk.

        Args:
            digests: ``[n]``.
            features: ``[n, F]``, finite once they are stored.
            views: ``[n, V, F]``, or None.

        Raises:
            DataError: They cannot be written.
        """
        for kept, values in ((self.views, views), (self.features, features)):
            if kept is None or values is None:
                continue
            new = kept.find(digests) < 0
            if new.any():
                kept.append(digests[new], values[new].astype(self.facts.store))

    def set_of(self, wanted: Wanted) -> ExampleSet:
        """The features of images, mapped into memory, under their ids, labels and contents.

        Raises:
            DataError: What is kept is damaged, or some of it is missing.
        """
        images = wanted.images
        rows = self.features.find(wanted.digests)
        features = StoredVectors(self.features.array(), images.ids, _all_there(rows, images.ids))
        views = None
        if wanted.with_views and self.views is not None:
            rows = self.views.find(wanted.digests)
            views = StoredVectors(self.views.array(), images.ids, _all_there(rows, images.ids))
        return ExampleSet(images.ids, features, images.labels, images.known_by, views)


def _all_there(rows: Rows, ids: tuple[Id, ...]) -> Rows:
    lacking = np.flatnonzero(rows < 0)
    if len(lacking):
        raise DataError(f"there are no features of {ids[lacking[0]]!r}; compute them again")
    return rows
