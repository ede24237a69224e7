"""Classes and splits that folders name.

::

    cat/ dog/ 1.png unlabelled/             one folder a class; the rest is pool
    train/{cat,dog} test/{cat,dog}          splits first, also val/ where there is no test/
    cat/{train,test} dog/{train,test}       classes first

What has one clear meaning is used, what has two is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.folders import classes_first
from bgadl_tf.data.folders.images_in import ImagesIn
from bgadl_tf.data.folders.layout import Layout, class_images
from bgadl_tf.data.images.tree import Folder
from bgadl_tf.data.intake import counted
from bgadl_tf.data.split_names import Role, role_of


@dataclass(frozen=True)
class _Root:
    """The folders directly in the root, by what their names say.

    Attributes:
        folder: The root.
        splits: Of a split's name, at most one each.
        pools: Called ``unlabelled``.
        others: All others that hold images, or nothing at all.
    """

    folder: Folder
    splits: dict[Role, Folder]
    pools: tuple[Folder, ...]
    others: tuple[Folder, ...]


def interpret(root: Folder, images: Collection[Id], path: str) -> Layout:
    """What the folders below a root say about its images.

    Args:
        root: Everything below it.
        images: Ids of the files that are images, or should be.
        path: Of the root, for messages.

    Raises:
        DataError: They say two things.
    """
    found = ImagesIn(images)
    sorted_ = _sort(root, found)
    layout = Layout()
    pool = found.directly(root)
    for folder in sorted_.pools:
        if folder.name.casefold() == "pool" and found.has_any(folder):
            layout.notes.append(f"{folder.name}/ is taken for images without a label, not a class")
        pool += _pool(found, folder, layout)
    layout.train.update(dict.fromkeys(pool))
    if "train" in sorted_.splits:
        _with_train(sorted_, found, layout)
    else:
        _without_train(sorted_, found, layout, path)
    return layout


def _sort(root: Folder, found: ImagesIn) -> _Root:
    splits: dict[Role, Folder] = {}
    pools, others = [], []
    for folder in root.folders:
        role = role_of(folder.name)
        if role is None:
            others.append(folder)
        elif role == "unlabelled":
            pools.append(folder)
        elif role in splits:
            raise DataError(
                f"{splits[role].name}/ and {folder.name}/ both have a name of the {role} split; "
                "move the images of one into the other"
            )
        else:
            splits[role] = folder
    classes = {folder.id for folder in found.classes(root)}
    named = tuple(folder for folder in others if folder.id in classes)
    return _Root(root, splits, tuple(pools), named)


def _pool(found: ImagesIn, folder: Folder, layout: Layout) -> list[Id]:
    if inside := found.full(folder):
        names = ", ".join(below.name for below in inside[:3])
        layout.notes.append(f"folders in {folder.id}/ name no class ({names}): it is the pool")
    return found.anywhere(folder)


def _with_train(root: _Root, found: ImagesIn, layout: Layout) -> None:
    train = root.splits["train"]
    if full := [folder for folder in root.others if found.has_any(folder)]:
        images = counted(len(found.anywhere(full[0])), "image")
        raise DataError(
            f"{full[0].name}/ with {images} lies beside {train.name}/, so that it may be a class "
            f"or no part of the dataset: move it into {train.name}/ if it is a class, call it "
            "'unlabelled' if its images are pool, or hide it with a leading dot; if "
            f"{train.name!r} itself is the name of a class, rename its folder"
        )
    for folder in root.others:
        layout.left_out[folder.id + "/"] = (
            f"an empty folder beside {train.name}/ (it would name a class in {train.name}/)"
        )
    _split(found, train, layout.train, layout)
    layout.train.update(dict.fromkeys(found.directly(train)))
    _held_out(root, found, layout)


def _without_train(root: _Root, found: ImagesIn, layout: Layout, path: str) -> None:
    classes = list(root.others)
    nested = {role for role, folder in root.splits.items() if found.full(folder)}
    full = [folder for folder in classes if found.has_any(folder)]
    # Two of them are splits rather than classes, whose images then lack a class.
    if full and not nested and len(root.splits) == 1:
        for role, folder in list(root.splits.items()):
            if found.directly(folder):
                del root.splits[role]
                classes.append(folder)
                layout.notes.append(
                    f"{folder.name}/ is taken for a class: its images are in no class folders, "
                    "and there is no train/"
                )
    if not root.splits:
        _check_wrapper(root, full, found, path)
        if classes_first.is_so(found, classes):
            classes_first.interpret(found, classes, layout)
            return
    for folder in classes:
        layout.classes.add(folder.name)
        layout.train.update(class_images(found, folder))
    _held_out(root, found, layout)


def _check_wrapper(root: _Root, full: Sequence[Folder], found: ImagesIn, path: str) -> None:
    """Refuses a folder whose images are all in one folder of folders.

    Beside folders that are empty it may be a class that is divided, unless it looks like a dataset.
    """
    pools = any(found.has_any(pool) for pool in root.pools)
    if len(full) != 1 or pools or found.directly(root.folder) or not found.full(full[0]):
        return
    inner = full[0]
    while len(found.full(inner)) == 1 and not found.directly(inner):
        (below,) = found.full(inner)
        if not found.full(below):
            break
        inner = below
    if len(root.others) > 1 and (found.directly(inner) or len(found.full(inner)) < 2):
        return
    raise DataError(
        f"all images are in {inner.id}/, which holds folders itself and may be the dataset or "
        f"its only class: give the path of the dataset, folder:{path}/{inner.id}, or move the "
        f"images directly into {full[0].id}/ if that is a class"
    )


def _split(found: ImagesIn, split: Folder, images: dict[Id, str | None], layout: Layout) -> None:
    """Adds the class folders of a split, and what is in its folders without a class."""
    for folder in found.classes(split):
        if role_of(folder.name) == "unlabelled":
            images.update(dict.fromkeys(_pool(found, folder, layout)))
            continue
        if role_of(folder.name) is not None and found.full(folder):
            raise DataError(
                f"{folder.id}/ is a split in a split; move {split.name}/ out of the way, or rename "
                f"{folder.id}/ if it is a class"
            )
        layout.classes.add(folder.name)
        images.update(class_images(found, folder))


def _held_out(root: _Root, found: ImagesIn, layout: Layout) -> None:
    """Uses ``test/``, or else ``val/``."""
    test, validation = root.splits.get("test"), root.splits.get("validation")
    if validation is not None and test is not None:
        layout.leave_out_validation(found.anywhere(validation), f"{validation.name}/")
    used = test or validation
    if used is None:
        return
    why = "" if used is test else ", as there is no test/"
    if why:
        layout.notes.append(f"the images of {used.name}/ are held out for testing{why}")
    layout.hold_out(_test_images(root, found, used, layout), f"{used.name}/", why)


def _test_images(root: _Root, found: ImagesIn, split: Folder, layout: Layout) -> dict[Id, str]:
    if not found.has_any(split):
        raise DataError(
            f"{split.name}/ holds no images; add some, or remove it: a fifth of every class is "
            "then held out by a draw"
        )
    images: dict[Id, str | None] = dict.fromkeys(found.directly(split))
    trained = set() if "train" in root.splits else {folder.name for folder in root.others}
    _split(found, split, images, layout)
    if without := [id_ for id_, name in images.items() if name is None]:
        raise DataError(
            f"{counted(len(without), 'image')} in {split.name}/ but in no class folder there, "
            f"e.g. {without[0]}; but test images need a label: sort them into class folders, name "
            "their classes in a CSV file (--labels FILE), or call the folder 'unlabelled' if "
            "they are pool"
        )
    tested = {name for name in images.values() if name is not None}
    if trained and not tested & trained:
        raise DataError(
            f"no folder in {split.name}/ has the name of a class beside it "
            f"({', '.join(sorted(tested))}), so that it may be a class or what is held out: "
            f"rename {split.name}/ if it is a class, or name its folders as the classes"
        )
    return {id_: name for id_, name in images.items() if name is not None}
