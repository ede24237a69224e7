"""Classes that a CSV file names; folders then name splits alone."""

from __future__ import annotations

from collections.abc import Collection

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.folders.images_in import ImagesIn
from bgadl_tf.data.folders.label_file import LabelFile
from bgadl_tf.data.folders.layout import Layout
from bgadl_tf.data.images.tree import Folder
from bgadl_tf.data.intake import counted
from bgadl_tf.data.split_names import Role, role_of


def interpret(root: Folder, images: Collection[Id], file: LabelFile) -> Layout:
    """What folders and a file of labels say together.

    Args:
        root: Everything below the dataset's folder.
        images: Ids of the files that are images, or should be.
        file: What the file says.

    Raises:
        DataError: They contradict each other.
    """
    layout = Layout(notes=[*file.notes], numbers=file.numbers)
    places = _places(root, ImagesIn(images))
    held: dict[Role, dict[Id, str]] = {"test": {}, "validation": {}}
    despite: list[Id] = []
    for id_ in images:
        row, place = file.rows.get(id_), places.get(id_)
        label, role = (row.label, row.split or place) if row else ("", place)
        if row and row.split and place and row.split != place:
            raise DataError(
                f"line {row.line} of the file of labels has {id_!r} in the split {row.split!r}, "
                f"but the image is in a folder for {place!r}; move it, or mend the line"
            )
        if role in held:
            if label:
                held[role][id_] = label
            else:
                layout.left_out[id_] = (
                    "in a folder or split to test on, but without a label; call that 'unlabelled' "
                    "if it is pool"
                )
            continue
        layout.train[id_] = label or None
        if label:
            layout.classes.add(label)
            if role == "unlabelled":
                despite.append(id_)
    if despite:
        layout.notes.append(
            f"{counted(len(despite), 'image')} in 'unlabelled' with a label in the file, which is "
            f"used, e.g. {despite[0]}"
        )
    test, validation = held["test"], held["validation"]
    if test:
        layout.leave_out_validation(validation, "the validation split")
        layout.hold_out(test, "the test split")
    elif validation:
        layout.notes.append("the validation split is held out for testing, as there is no other")
        layout.hold_out(validation, "the validation split", ", as there is no test split")
    return layout


def _places(root: Folder, found: ImagesIn) -> dict[Id, Role]:
    """The split in whose folder an image is."""
    inner = root
    while not found.directly(inner) and len(found.full(inner)) == 1:
        (below,) = found.full(inner)
        if role_of(below.name) is not None:
            break
        inner = below
    places: dict[Id, Role] = {}
    for folder in inner.folders:
        role = role_of(folder.name)
        if role is not None:
            places.update(dict.fromkeys(found.anywhere(folder), role))
    return places
