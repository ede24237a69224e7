"""Where the images of a ranking come from: a folder, or a dataset as the training loop reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bgadl_tf.core.errors import ConfigError, DataError, StreamError
from bgadl_tf.core.types import Id
from bgadl_tf.data.images import formats
from bgadl_tf.data.images.looking import look_at, open_regular
from bgadl_tf.data.images.png import to_png
from bgadl_tf.data.images.prepared import prepared
from bgadl_tf.data.images.tree import read_tree
from bgadl_tf.data.intake import Intake
from bgadl_tf.serving.client.pool import Item


@dataclass(frozen=True)
class Source:
    """Images under the ids that the training loop gives them.

    Attributes:
        name: Tells sources apart when a ranking is resumed.
        ids: ``[N]``, sorted.
        item: One image by its id, as it is sent.
        folder: Where the files are, for a folder.
        file: Content of an image's own file by its id, for a folder.
        suffix: What a copy of an image needs behind its id to be a file's name.
        intake: What was left out.
    """

    name: str
    ids: Sequence[Id]
    item: Callable[[Id], Item]
    folder: Path | None = None
    file: Callable[[Id], bytes] | None = None
    suffix: str = ""
    intake: Intake = field(default=Intake())

    def copy_of(self, id_: Id) -> bytes:
        """What a copy of an image holds: its file, or else what is sent.

        Raises:
            OSError: It cannot be read.
        """
        return self.item(id_).read() if self.file is None else self.file(id_)


def folder_source(folder: Path) -> Source:
    """Every image below a folder, in class folders or not, by the bytes it begins with.

    Hidden files, run folders and what is no image are left out; images that cannot be read are
    in it, and reading them says why.

    Args:
        folder: Where to look. Ids are POSIX paths relative to it.

    Raises:
        DataError: It is not there, cannot be listed or holds no images.
    """
    root = folder.expanduser()
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise DataError(f"{root} {what}; expected a folder of images")
    tree = read_tree(root)
    entries = [*tree.root.all_files()]
    looked = look_at(entries)
    paths = {entry.id: entry.path for entry in entries if entry.id not in looked.others}
    left_out = {**tree.left_out, **looked.others}
    if not paths:
        found = "; ".join(("", *Intake(left_out=left_out).lines()))
        raise DataError(f"folder {root} holds no images; expected {formats.READ} files{found}")

    def item(id_: Id) -> Item:
        return Item(id_, _size(paths[id_]), lambda: prepared(_read(paths[id_])))

    return Source(
        f"folder:{root.resolve()}",
        sorted(paths),
        item,
        folder=root,
        file=lambda id_: _read(paths[id_]),
        intake=Intake(left_out=left_out),
    )


def dataset_source(spec: str, *, data_dir: str | None, split: str) -> Source:
    """Images of a dataset by the name that ``bgadl train --dataset`` takes.

    Args:
        spec: ``digits``, the name of a TFDS builder, ``arrays:PATH``, or ``folder:PATH``, which
            is the same as the folder alone.
        data_dir: Folder of prepared TFDS datasets, or None for the one of TFDS.
        split: ``train`` or ``test``.

    Raises:
        ConfigError: There is no such split.
        DataError: The data is missing or unreadable, or holds vectors.
    """
    kind, _, argument = spec.partition(":")
    if kind == "folder":
        return folder_source(Path(argument))
    if split not in ("train", "test"):
        raise ConfigError(f"--split is {split!r}; choose from train, test")
    # Imports TensorFlow, which a folder does not need.
    from bgadl_tf.data.load import load_dataset

    try:
        dataset = load_dataset(spec, data_dir=data_dir, stream=True)
    except StreamError:
        dataset = load_dataset(spec, data_dir=data_dir)
    if len(dataset.shape) != 3:
        raise DataError(
            f"dataset {dataset.name!r} holds vectors; 'bgadl score' sends images only: name the "
            "images that the vectors are of"
        )
    images = dataset.train if split == "train" else dataset.test
    size = math.prod(dataset.shape)

    def read(id_: Id) -> bytes:
        try:
            return to_png(images.examples_of([id_])[0])
        except DataError as error:
            raise OSError(str(error)) from error

    def item(id_: Id) -> Item:
        return Item(id_, size, lambda: read(id_))

    return Source(f"{dataset.name}/{split}", sorted(images.ids), item, suffix=".png")


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong


def _read(path: str) -> bytes:
    with open_regular(path) as file:
        return file.read()
