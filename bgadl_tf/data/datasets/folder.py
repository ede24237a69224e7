"""``folder:PATH``: image files, whose classes and splits folders or a CSV file name.

::

    PATH/cat/1.png                    or   PATH/train/cat/1.png
    PATH/dog/2.jpg                         PATH/train/unlabelled/7.png
    PATH/unlabelled/7.png, PATH/8.png      PATH/test/dog/2.jpg

Images directly under PATH or in a folder called ``unlabelled`` are pool without a label.
Without ``test`` or ``val`` folders a fifth of every class is held out by a seeded draw. Further
layouts are in ``folders/by_folder.py``.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Id
from bgadl_tf.data import split
from bgadl_tf.data.contents import FileContents
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.folders import by_folder, by_label_file, label_file
from bgadl_tf.data.folders.layout import Layout
from bgadl_tf.data.images import image_files, looking, of_run
from bgadl_tf.data.images.looking import Looked
from bgadl_tf.data.images.tree import Tree, read_tree
from bgadl_tf.data.intake import counted
from bgadl_tf.data.loader import FINDERS, LOADERS, LoadRequest


@LOADERS.register("folder")
def load(request: LoadRequest) -> Dataset:
    """Loads a folder of images.

    Args:
        request: Its argument is the folder; an image size is needed when the images have
            different sizes. To stream is to read only headers now, and to decode training images
            when they are needed. In a run that goes on, images of another size are unreadable.

    Returns:
        The dataset; ids are POSIX paths relative to the folder, in sorted order. Where no image
        has a label, nothing is held out.

    Raises:
        DataError: The folder is missing, holds no images, or says two things; there are fewer
            than two classes, no class has an image to hold out, too many images cannot be read, or
            they have different sizes. Its notes are what was found until then.
    """
    root: Path = find(request)
    tree = read_tree(root)
    looked = looking.look_at([*tree.root.all_files()])
    if request.image_shape is not None and request.image_size is None:
        looked = of_run.of_one_size(looked, request.image_shape)
    images = sorted([*looked.headers, *looked.unreadable])
    left_out = {**tree.left_out, **looked.others}
    try:
        if not images:
            raise DataError(
                f"folder {root} holds no images; expected one sub-folder a class with files such "
                "as PNG or JPEG"
            )
        layout = _layout(root, tree, images, request, left_out)
        return _dataset(root, tree, looked, layout, left_out, request)
    except DataError as error:
        found = image_files.describe(looked, looked.headers)
        found = dataclasses.replace(found, left_out=left_out, unreadable=looked.unreadable)
        for line in (*found.facts(), *found.lines()):
            error.add_note(line)
        raise


@FINDERS.register("folder")
def find(request: LoadRequest) -> Path:
    """The folder.

    Raises:
        DataError: It is missing.
    """
    if not request.argument:
        raise DataError("dataset 'folder' needs a path: --dataset folder:PATH")
    root = Path(request.argument).expanduser()
    if not root.exists():
        raise DataError(f"folder {root} does not exist")
    if not root.is_dir():
        raise DataError(f"{root} is a file; expected a folder with one sub-folder a class")
    return root


def _layout(
    root: Path, tree: Tree, images: list[Id], request: LoadRequest, left_out: dict[Id, str]
) -> Layout:
    """What the folder says; a file of labels in it is used, not left out."""
    if request.labels is None:
        layout = by_folder.interpret(tree.root, images, str(root))
    else:
        path = label_file.find(request.labels, root)
        layout = by_label_file.interpret(tree.root, images, label_file.read(path, images))
        for file in tree.root.all_files():
            if file.id in left_out and path.samefile(file.path):
                del left_out[file.id]
    left_out.update(layout.left_out)
    names = request.classes(layout.class_names)
    if len(names) < 2:
        raise DataError(
            f"folder {root} names {counted(len(names), 'class', 'classes')} "
            f"({', '.join(names) or 'none'}), and a classifier needs at least 2: make one folder "
            "a class (an empty one names a class, too), give a CSV file with --labels FILE, or "
            "name them with --new-class cat --new-class dog"
        )
    if not layout.train:
        raise DataError(f"folder {root} has images to test on, but none to train on")
    return layout


def _dataset(
    root: Path,
    tree: Tree,
    looked: Looked,
    layout: Layout,
    left_out: dict[Id, str],
    request: LoadRequest,
) -> Dataset:
    names = request.classes(layout.class_names)
    label_of = {name: label for label, name in enumerate(names)}
    by_id: dict[Id, str | None] = {**layout.train, **(layout.test or {})}
    entries = sorted(file for file in tree.root.all_files() if file.id in by_id)
    read = image_files.read_images(
        root,
        entries,
        looked._replace(unreadable={i: w for i, w in looked.unreadable.items() if i in by_id}),
        image_size=request.image_size,
        resize=request.resize,
        stream=request.stream,
        max_unreadable=request.max_unreadable,
        channels=None if request.image_shape is None else request.image_shape[-1],
    )
    paths = dict(entries)
    labels = [UNLABELLED if (name := by_id[id_]) is None else label_of[name] for id_ in read.ids]
    together = ExampleSet(
        read.ids,
        read.images,
        np.array(labels, dtype=np.int32),
        FileContents([paths[id_] for id_ in read.ids]),
    )
    if layout.test is None:
        train, test, held_out, notes = split.draw(
            together, names, request.seed, request.earlier, request.part
        )
    else:
        held = np.array([id_ in layout.test for id_ in read.ids], dtype=np.bool_)
        (train, test), held_out, notes = split.divide(together, held), layout.held_out, ()
    intake = dataclasses.replace(
        image_files.describe(looked, read.ids),
        left_out=left_out,
        unreadable=read.unreadable,
        held_out=held_out,
    )
    if request.image_shape is not None:
        notes = (*of_run.notes(looked, read.ids, request.image_shape), *notes)
    told = (*layout.notes, *intake.notes, *notes, *_about_labels(train, test, names))
    name = f"folder:{request.argument}"
    return Dataset(name, train, test, names, dataclasses.replace(intake, notes=told))


def _about_labels(train: ExampleSet, test: ExampleSet, names: tuple[str, ...]) -> list[str]:
    """What people may not expect of their labels."""
    notes = []
    pool = int((train.labels == UNLABELLED).sum())
    if pool:
        notes.append(f"{counted(pool, 'image')} to train on without a label: the pool")
    lacking = sorted({*test.labels.tolist()} - {*train.labels.tolist()})
    if lacking:
        told = ", ".join(names[label] for label in lacking)
        notes.append(f"classes of the test set of which no image to train on has a label: {told}")
    by_case: dict[str, list[str]] = {}
    for name in names:
        by_case.setdefault(name.casefold(), []).append(name)
    notes += [
        f"{' and '.join(map(repr, alike))} are two classes, which differ in case alone"
        for alike in by_case.values()
        if len(alike) > 1
    ]
    return notes
