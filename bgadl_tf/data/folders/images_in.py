"""The images of a tree: only they count when a folder is to be understood."""

from __future__ import annotations

from collections.abc import Collection

from bgadl_tf.core.types import Id
from bgadl_tf.data.images.tree import Folder

CLUTTER = frozenset({"thumbs.db", "desktop.ini"})
"""Files that Windows puts into folders; a folder with nothing else is empty."""


class ImagesIn:
    """Answers about folders.

    Args:
        images: Ids of the files that are images, or should be.
    """

    def __init__(self, images: Collection[Id]) -> None:
        self._images = frozenset(images)

    def directly(self, folder: Folder) -> list[Id]:
        """Images in the folder itself."""
        return [file.id for file in folder.files if file.id in self._images]

    def anywhere(self, folder: Folder) -> list[Id]:
        """Images in the folder or below."""
        return [file.id for file in folder.all_files() if file.id in self._images]

    def has_any(self, folder: Folder) -> bool:
        """Whether an image is in the folder or below."""
        return any(file.id in self._images for file in folder.all_files())

    def is_empty(self, folder: Folder) -> bool:
        """Whether no file is in the folder or below, not even a hidden one."""
        return not folder.hides_any() and all(
            file.id.rpartition("/")[2].lower() in CLUTTER for file in folder.all_files()
        )

    def full(self, folder: Folder) -> list[Folder]:
        """Folders directly in it that hold images."""
        return [below for below in folder.folders if self.has_any(below)]

    def classes(self, folder: Folder) -> list[Folder]:
        """Folders directly in it that can name a class: with images, or empty."""
        return [below for below in folder.folders if self.has_any(below) or self.is_empty(below)]
