"""``cat/{train,test}``, ``dog/{train,test}``: splits in the folders of the classes."""

from __future__ import annotations

from collections.abc import Sequence

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.folders.images_in import ImagesIn
from bgadl_tf.data.folders.layout import Layout
from bgadl_tf.data.images.tree import Folder
from bgadl_tf.data.split_names import Role, role_of


def is_so(found: ImagesIn, classes: Sequence[Folder]) -> bool:
    """Whether every class folder with images has folders of splits.

    Raises:
        DataError: Some have, and others have not.
    """
    full = [folder for folder in classes if found.has_any(folder)]
    split = [folder for folder in full if any(role_of(sub.name) for sub in found.full(folder))]
    if not split:
        return False
    if whole := [folder for folder in full if folder not in split]:
        inner = next(sub for sub in found.full(split[0]) if role_of(sub.name))
        raise DataError(
            f"{inner.id}/ has the name of a split, but {whole[0].id}/ has no such folders: give "
            f"every class folder train/ and test/, or rename {inner.id}/ if its images are just "
            "more of the class"
        )
    return True


def interpret(found: ImagesIn, classes: Sequence[Folder], layout: Layout) -> None:
    """Adds everything in class folders.

    Raises:
        DataError: A class folder has further folders with images.
    """
    by_role: dict[Role, dict[Id, str]] = {"test": {}, "validation": {}}
    for folder in classes:
        layout.classes.add(folder.name)
        layout.train.update(dict.fromkeys(found.directly(folder), folder.name))
        for below in found.full(folder):
            role, images = role_of(below.name), found.anywhere(below)
            if role is None:
                raise DataError(
                    f"{below.id}/ lies beside folders of splits and has the name of none; move its "
                    f"images into {folder.id}/train/, or hide it with a leading dot"
                )
            if role == "train":
                layout.train.update(dict.fromkeys(images, folder.name))
            elif role == "unlabelled":
                layout.train.update(dict.fromkeys(images))
            else:
                by_role[role].update(dict.fromkeys(images, folder.name))
    test, validation = by_role["test"], by_role["validation"]
    if test:
        layout.leave_out_validation(validation, "a folder for validation")
        layout.hold_out(test, "the folders test/")
    elif validation:
        layout.notes.append("the folders val/ of the classes are held out for testing")
        layout.hold_out(validation, "the folders val/", ", as there are no folders test/")
