"""Features of images, and of views of them, by the content of the image.

::

    FOLDER/embedding.json                     what they are, see ``facts``
    FOLDER/backbone.keras                     the backbone
    FOLDER/features.rows, features.digests    one row [F] for each content
    FOLDER/views-HASH-v.rows, ….digests       one row [F] for each content that has been in a
                                              training set: its view v, under settings of that HASH
    FOLDER/contents.rows, contents.digests    content of each file by its id and stamp

An image that is renamed, moved from the training set to the test set, or there twice, is known.
The first views are the same however many are asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Floats, Id, Json, Rows
from bgadl_tf.data.contents import Digests, digest_of
from bgadl_tf.data.embeddings.facts import Facts
from bgadl_tf.data.embeddings.rows import DigestedRows
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.vectors import StackedVectors, StoredVectors


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


class Lacking(NamedTuple):
    """Images of a set that lack the same.

    Fields:
        rows: ``[n]`` in the set.
        features: Whether they lack their features.
        views: Numbers of the views that they lack.
    """

    rows: Rows
    features: bool
    views: range


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
        name = f"views-{_name_of(facts.view_settings)}"
        self.views = [
            DigestedRows(folder, f"{name}-{view}", (width,), facts.store)
            for view in range(facts.views)
        ]
        self.contents = DigestedRows(folder, "contents", (), "uint64")

    @staticmethod
    def begun(folder: Path) -> bool:
        """Whether a folder holds features of any image."""
        files = (*folder.glob("features.digests"), *folder.glob("views-*.digests"))
        return any(file.stat().st_size for file in files)

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

    def missing(self, wanted: Wanted) -> list[Lacking]:
        """What images have not here, each content once."""
        lacking = self.features.find(wanted.digests) < 0
        end = len(self.views) if wanted.with_views else 0
        firsts = np.full(len(wanted.digests), end)
        for view in reversed(range(end)):
            firsts[self.views[view].find(wanted.digests) < 0] = view
        rows = np.flatnonzero(lacking | (firsts < end))
        rows = rows[np.sort(np.unique(wanted.digests[rows], return_index=True)[1])]
        kinds = list(zip(lacking[rows].tolist(), firsts[rows].tolist(), strict=True))
        return [
            Lacking(rows[[kind == one for one in kinds]], kind[0], range(kind[1], end))
            for kind in sorted(set(kinds))
        ]

    def add(self, digests: Digests, features: Floats | None, views: Mapping[int, Floats]) -> None:
        """Keep features of contents that lack them; on return they are on disk.

        Args:
            digests: ``[n]``.
            features: ``[n, F]``, finite once they are stored; None where they are there.
            views: ``[n, F]`` by the number of the view.

        Raises:
            DataError: They cannot be written.
        """
        news = [(self.views[view], values) for view, values in views.items()]
        if features is not None:
            news.append((self.features, features))
        for kept, values in news:
            new = kept.find(digests) < 0
            if new.any():
                kept.append(digests[new], values[new].astype(self.facts.store))

    def set_of(self, wanted: Wanted) -> ExampleSet:
        """The features of images, mapped into memory, under their ids, labels and contents.

        Raises:
            DataError: What is kept is damaged, or some of it is missing.
        """
        images = wanted.images
        views = None
        if wanted.with_views and self.views:
            views = StackedVectors([self._vectors(kept, wanted) for kept in self.views])
        features = self._vectors(self.features, wanted)
        return ExampleSet(images.ids, features, images.labels, images.known_by, views)

    def _vectors(self, kept: DigestedRows, wanted: Wanted) -> StoredVectors:
        rows, ids = kept.find(wanted.digests), wanted.images.ids
        return StoredVectors(kept.array(), ids, _all_there(rows, ids))


def _name_of(settings: Json) -> str:
    """Of views; others where any setting is another one."""
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=6)
    return digest.hexdigest()


def _all_there(rows: Rows, ids: tuple[Id, ...]) -> Rows:
    lacking = np.flatnonzero(rows < 0)
    if len(lacking):
        raise DataError(f"there are no features of {ids[lacking[0]]!r}; compute them again")
    return rows
