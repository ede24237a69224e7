"""``folder:PATH``: image files in one folder a class.

::

    PATH/cat/1.png                    or   PATH/train/cat/1.png
    PATH/dog/2.jpg                         PATH/train/unlabelled/7.png
    PATH/unlabelled/7.png, PATH/8.png      PATH/test/dog/2.jpg

Images directly under PATH or in a folder called ``unlabelled`` are pool without a label.
Without ``train`` and ``test`` folders a fifth of every class is held out by a seeded draw.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data import split
from bgadl_tf.data.dataset import Dataset, ExampleSet
from bgadl_tf.data.images import image_files, image_paths
from bgadl_tf.data.images.looking import look_at
from bgadl_tf.data.images.tree import Entry
from bgadl_tf.data.loader import LOADERS, LoadRequest

UNLABELLED_FOLDERS = frozenset({"unlabelled", "unlabeled"})


class Listing(NamedTuple):
    """Files of one split.

    Attributes:
        classes: Class name -> its files; a folder without images is a class, too.
        unlabelled: Files of nobody knows which class.
    """

    classes: dict[str, list[Path]]
    unlabelled: list[Path]

    @property
    def files(self) -> list[Path]:
        """Every file."""
        return [*(path for paths in self.classes.values() for path in paths), *self.unlabelled]


@LOADERS.register("folder")
def load(request: LoadRequest) -> Dataset:
    """Loads a folder of images.

    Args:
        request: Its argument is the folder; an image size is needed when the images have
            different sizes. To stream is to read only headers now, and to decode training images
            when they are needed.

    Returns:
        The dataset; ids are POSIX paths relative to the folder, in sorted order.

    Raises:
        DataError: The folder is missing or empty, has fewer than two classes, a class is too
            small to hold out from, or images cannot be read or have different sizes.
    """
    root = _existing(request.argument)
    if (root / "train").is_dir() and (root / "test").is_dir():
        train, test = _listing(root / "train"), _listing(root / "test")
        class_names = _common_classes(root, train, test)
        together = _read(root, train, test, class_names, request)
        in_test = np.array([id_.startswith("test/") for id_ in together.ids])
        parts = split.divide(together, in_test)
    else:
        train = _listing(root)
        class_names = _at_least_two(root, train)
        counts = {name: len(paths) for name, paths in train.classes.items()}
        small = [f"{name} ({count})" for name, count in counts.items() if count < 2]
        if small:
            raise DataError(
                f"classes of {root} with fewer than 2 images: {', '.join(small)}; one image at "
                "least is held out for testing: add images, or make train/ and test/ folders"
            )
        together = _read(root, train, Listing({}, []), class_names, request)
        quotas = split.fraction_quotas(together.labels, len(class_names))
        parts = split.hold_out(together, quotas, class_names, request.seed)
    return Dataset(f"folder:{request.argument}", *parts, class_names)


def _existing(argument: str) -> Path:
    if not argument:
        raise DataError("dataset 'folder' needs a path: --dataset folder:PATH")
    root = Path(argument).expanduser()
    if not root.exists():
        raise DataError(f"folder {root} does not exist")
    if not root.is_dir():
        raise DataError(f"{root} is a file; expected a folder with one sub-folder a class")
    return root


def _listing(folder: Path) -> Listing:
    subfolders = image_paths.subfolders(folder)
    visited = {os.path.realpath(entered) for entered in (folder, *subfolders)}
    classes: dict[str, list[Path]] = {}
    unlabelled = image_paths.direct_images(folder)
    for sub in subfolders:
        paths = image_paths.all_images(sub, visited)
        if sub.name.lower() in UNLABELLED_FOLDERS:
            unlabelled += paths
        else:
            classes[sub.name] = paths
    return Listing(classes, unlabelled)


def _at_least_two(root: Path, listing: Listing) -> tuple[str, ...]:
    if not listing.files:
        raise DataError(
            f"folder {root} holds no images; expected one sub-folder a class with files ending in "
            f"{', '.join(sorted(image_paths.SUFFIXES))}"
        )
    names = tuple(sorted(listing.classes))
    if len(names) < 2:
        raise DataError(
            f"folder {root} has {len(names)} class folders ({', '.join(names) or 'none'}); a "
            "classifier needs at least 2 (an empty folder names a class, too, where there are "
            "train/ and test/ folders)"
        )
    return names


def _common_classes(root: Path, train: Listing, test: Listing) -> tuple[str, ...]:
    for name, listing in (("train", train), ("test", test)):
        if not listing.files:
            raise DataError(f"folder {root / name} holds no images")
    if test.unlabelled:
        raise DataError(
            f"{len(test.unlabelled)} images of {root / 'test'} are in no class folder, e.g. "
            f"{test.unlabelled[0].name}; test images need a label"
        )
    # A pool without any label takes its classes from the test images.
    names = _at_least_two(root / "train", train if train.classes else test)
    if unknown := sorted(set(test.classes) - set(names)):
        raise DataError(
            f"{root / 'test'} has classes that {root / 'train'} lacks: {', '.join(unknown)}; "
            f"known: {', '.join(names)}"
        )
    return names


def _read(
    root: Path,
    train: Listing,
    test: Listing,
    class_names: tuple[str, ...],
    request: LoadRequest,
) -> ExampleSet:
    """All images of both splits, so that they are of one size and number of channels."""
    labels = dict.fromkeys(train.unlabelled, UNLABELLED)
    for listing in (train, test):
        for name, paths in listing.classes.items():
            labels.update(dict.fromkeys(paths, class_names.index(name)))
    by_id = {path.relative_to(root).as_posix(): path for path in labels}
    ids = tuple(sorted(by_id))
    paths = [by_id[id_] for id_ in ids]
    entries = [Entry(id_, os.fspath(path)) for id_, path in zip(ids, paths, strict=True)]
    read = image_files.read_images(
        root,
        entries,
        look_at(entries),
        image_size=request.image_size,
        resize=request.resize,
        stream=request.stream,
        max_unreadable=request.max_unreadable,
    )
    known = [labels[by_id[id_]] for id_ in read.ids]
    return ExampleSet(read.ids, read.images, np.array(known, dtype=np.int32))
