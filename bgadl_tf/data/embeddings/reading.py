"""A folder of features that ``bgadl embed`` wrote, checked, with the images that it is of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bgadl_tf.core.errors import BgadlError, DataError
from bgadl_tf.core.types import Id, Images
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.data.embeddings.facts import BACKBONE, Facts
from bgadl_tf.data.embeddings.mapped import ANEW, mapped
from bgadl_tf.data.load import load_dataset
from bgadl_tf.data.vectors import StoredVectors


def check(root: Path, facts: Facts) -> None:
    """Look whether a folder holds what it says.

    Raises:
        DataError: It is half written, or a file is missing, cut short, or of another shape.
    """
    if not facts.complete:
        raise DataError(
            f"the features in {root} are half written: run the command 'bgadl embed' that writes "
            "them again to go on"
        )
    if not (root / BACKBONE).is_file():
        raise DataError(f"{root} has no {BACKBONE}, the backbone of its features; {ANEW}")
    count, width = facts.train, facts.features
    expected: dict[str, tuple[tuple[int | None, ...], str]] = {
        "train_embeddings.npy": ((count, width), facts.store),
        "train_digests.npy": ((count,), "uint64"),
    }
    if facts.views:
        expected["train_views.npy"] = ((count, facts.views, width), facts.store)
    elif (root / "train_views.npy").exists():
        raise DataError(f"{root} has a train_views.npy, but its features have no views; {ANEW}")
    if facts.test:
        expected["test_embeddings.npy"] = ((facts.test, width), facts.store)
        expected["test_digests.npy"] = ((facts.test,), "uint64")
    for name, (shape, dtype) in expected.items():
        array = mapped(root / name)
        if array.shape != shape or array.dtype != dtype:
            raise DataError(
                f"{root / name} holds {array.dtype} {list(array.shape)}; expected {dtype} "
                f"{list(shape)}, as embedding.json says; {ANEW}"
            )


def with_origin(dataset: Dataset, root: Path, facts: Facts) -> Dataset:
    """A dataset of features with its stored views, and with what it knows of its images.

    Raises:
        DataError: Somebody has added vectors, which are of no image that is known.
    """
    train = dataset.train
    written = facts.train or 0
    if len(train) != written:
        raise DataError(
            f"{root} holds {len(train) - written} training vectors beside the {written} "
            "that 'bgadl embed' wrote, e.g. in pool_embeddings.npy: add the images to the dataset "
            "instead, and give the command again"
        )
    if facts.views:
        views = StoredVectors(mapped(root / "train_views.npy"), train.ids)
        train = dataclasses.replace(train, views=views)
    images = _Origin(root, facts, dataset)
    embedded = Embedded(
        root / BACKBONE,
        facts.fingerprint,
        facts.image_shape,
        facts.resize,
        facts.store,
        images,
        facts.precision,
    )
    return dataclasses.replace(dataset, train=train, embedded=embedded)


class _Origin:
    """The images of a folder of features; the dataset is loaded when the first are asked for."""

    def __init__(self, root: Path, facts: Facts, features: Dataset) -> None:
        self._root, self._facts, self._features = root, facts, features
        self._loaded: Dataset | None = None

    def __call__(self, ids: Sequence[Id]) -> Images:
        """Images of ids, uint8 [n, H, W, D].

        Raises:
            DataError: They are no longer to be had, or are others by now.
        """
        if self._loaded is None:
            self._loaded = self._load()
        found = np.empty((len(ids), *self._facts.image_shape), np.uint8)
        for place, id_ in enumerate(ids):
            found[place] = self._one(self._loaded, id_)
        return found

    def _load(self) -> Dataset:
        settings = dict(self._facts.dataset)
        name = settings.pop("dataset")
        try:
            loaded = load_dataset(
                name, **settings, stream=True, tell=False, shape=self._facts.image_shape
            )
        except BgadlError as error:
            raise DataError(
                f"the images that the features in {self._root} are of cannot be had: {error}"
            ) from error
        if loaded.shape != self._facts.image_shape:
            raise DataError(
                f"the images that the features in {self._root} are of have changed: they are "
                f"{list(loaded.shape)}, and were {list(self._facts.image_shape)}"
            )
        return loaded

    def _one(self, loaded: Dataset, id_: Id) -> Images:
        for name, part in (("train", self._features.train), ("test", self._features.test)):
            if id_ in part:
                digest = mapped(self._root / f"{name}_digests.npy")[part.rows([id_])]
                break
        else:
            raise DataError(f"there are no features of {id_!r} in {self._root}")
        for there in (loaded.train, loaded.test):
            if id_ in there:
                if not np.array_equal(there.known_by.digests(there.rows([id_])), digest):
                    raise DataError(
                        f"image {id_!r} of {loaded.name!r} is another one than its features in "
                        f"{self._root} are of; {ANEW}"
                    )
                images: Images = there.examples_of([id_])[0]
                return images
        raise DataError(f"image {id_!r} is no longer in {loaded.name!r}")
