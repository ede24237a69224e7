"""Features of images, and of views of them, by the content of the image.

::

    FOLDER/embedding.json                     what they are, see ``facts``
    FOLDER/backbone.keras                     the backbone
    FOLDER/features.rows, features.digests    one row [F] for each content
    FOLDER/views.rows, views.digests          [V, F] for each that has been in a training set

An image that is renamed, moved from the training set to the test set, or there twice, is known.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Floats, Id, Rows
from bgadl_tf.data.contents import Digests
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

    def cut(self) -> None:
        """Drop what a crash has left behind; only where nobody else writes.

        Raises:
            DataError: A file is shorter than it says, or cannot be written.
        """
        self.features.cut()
        if self.views is not None:
            self.views.cut()

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
