"""What every kind of dataset registers: a function from a request to a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.registry import Registry
from bgadl_tf.core.types import ImageShape, Shape
from bgadl_tf.data.class_names import index_of_name
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.part import Part

MAX_UNREADABLE = 0.1
"""Share of the images that may be unreadable."""


@dataclass(frozen=True)
class LoadRequest:
    """What is to be loaded. A kind of dataset uses what concerns it.

    Attributes:
        argument: What follows the colon in ``--dataset kind:argument``; for a TFDS builder its
            name; else empty.
        data_dir: Folder of prepared TFDS datasets, or None for TFDS's own.
        image_size: Resize every image to this many pixels a side, or None.
        seed: Root seed; decides which examples are held out where no test split is given.
        stream: Read training examples when they are needed; nothing else changes.
        labels: CSV file with the labels of a folder's images, or None for one folder a class.
        resize: How images that are not square become it, of ``images.resize.MODES``.
        max_unreadable: Share of the images that may be unreadable; these are left out.
        earlier: How it was split before, where what is held out is a seeded draw: a dataset that
            has grown keeps its test set. None to draw.
        new_classes: Names of classes that nothing in the dataset names yet.
        classes_before: Names of the classes of a run that goes on; the dataset may name one in
            another way by now.
        shape: Of the examples of a run that goes on, which those that have come since get, too;
            None for a new run.
        part: Of the dataset; where a test set is drawn, it is drawn from this part.
    """

    argument: str = ""
    data_dir: str | None = None
    image_size: int | None = None
    seed: int = 0
    stream: bool = False
    labels: str | None = None
    resize: str = "stretch"
    max_unreadable: float = MAX_UNREADABLE
    earlier: EarlierSplit | None = None
    new_classes: tuple[str, ...] = ()
    classes_before: tuple[str, ...] = ()
    shape: Shape | None = None
    part: Part | None = None

    @property
    def image_shape(self) -> ImageShape | None:
        """Shape of the images of a run that goes on; None where there are none."""
        if self.shape is None or len(self.shape) != 3:
            return None
        height, width, channels = self.shape
        return height, width, channels

    def classes(self, found: Iterable[str]) -> tuple[str, ...]:
        """The classes that a dataset names, and after them those of the run and the new ones.

        Raises:
            ConfigError: A new one is another but for case or spelling.
        """
        names = [*dict.fromkeys([*found, *self.classes_before])]
        for name in self.new_classes:
            try:
                same = index_of_name(name, names)
            except ValueError as error:
                raise ConfigError(f"--new-class {error}") from error
            if same is None:
                names.append(name)
            elif name != names[same]:
                raise ConfigError(
                    f"--new-class {name!r} is the class {names[same]!r} already; leave it out"
                )
        return tuple(names)


Loader = Callable[[LoadRequest], Dataset]
"""Loads one kind of dataset; raises a DataError where data is missing, empty or malformed."""

LOADERS: Registry[Loader] = Registry("dataset", "bgadl_tf.data.datasets")

Finder = Callable[[LoadRequest], Any]
"""Finds a dataset of one kind, its folder for example, and reads none of it; raises a DataError
where there is none."""

FINDERS: Registry[Finder] = Registry("dataset", "bgadl_tf.data.datasets")
"""Of the kinds that may be missing."""
