"""What the layout of a folder says about its images, or that it says two things."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Id
from bgadl_tf.data.folders.images_in import ImagesIn
from bgadl_tf.data.images.tree import Folder
from bgadl_tf.data.split_names import role_of


@dataclass
class Layout:
    """Which images are of which class, to train on or held out.

    Attributes:
        train: Class name of each image to train on; None where nobody knows.
        test: Class name of each image that is held out; None where they are to be drawn.
        classes: Names of all classes, those without an image, too.
        numbers: Whether these are numbers, and are sorted as such.
        notes: What was assumed.
        left_out: Why an image is in neither set.
        held_out: What the test set is, where it is not drawn.
    """

    train: dict[Id, str | None] = field(default_factory=dict)
    test: dict[Id, str] | None = None
    classes: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    left_out: dict[Id, str] = field(default_factory=dict)
    held_out: str = ""
    numbers: bool = False

    @property
    def class_names(self) -> list[str]:
        """Sorted."""
        return sorted(self.classes, key=Decimal) if self.numbers else sorted(self.classes)

    def hold_out(self, images: dict[Id, str], where: str, why: str = "") -> None:
        """Makes images the test set."""
        self.test, self.held_out = images, f"all of {where}{why}"
        self.classes.update(images.values())

    def leave_out_validation(self, images: Collection[Id], where: str) -> None:
        """Leaves out what is neither to train nor to test on."""
        reason = f"in {where}, which beside a test set is used neither to train nor to test"
        self.left_out.update(dict.fromkeys(images, reason))


def class_images(found: ImagesIn, folder: Folder) -> dict[Id, str]:
    """Every image in a class folder or below, with the name of the class.

    Raises:
        DataError: A folder in it has the name of a split.
    """
    for below in found.full(folder):
        if role_of(below.name) is not None:
            raise DataError(
                f"{below.id}/ has the name of a split, but is in the folder of class "
                f"{folder.name!r}, not all of whose like have such folders: give every class "
                f"folder train/ and test/, or rename {below.id}/"
            )
    return dict.fromkeys(found.anywhere(folder), folder.name)
