"""What every dataset is: images under stable ids, labels where somebody knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.registry import Registry
from bgadl_tf.core.types import UNLABELLED, Id, Images, Labels, Rows
from bgadl_tf.data.source import ExampleSource, Subset, gather, is_in_memory

SMALLEST, LARGEST = 8, 96


@dataclass(frozen=True)
class ExampleSet:
    """Images under ids.

    Attributes:
        ids: ``[N]`` unique, stable names.
        examples: ``uint8 [N, H, W, D]``, in memory or read when they are indexed.
        labels: ``int32 [N]``; ``UNLABELLED`` where nobody knows.

    Raises:
        DataError: Lengths, shapes or dtypes do not fit together, or an id occurs twice.
    """

    ids: tuple[Id, ...]
    examples: ExampleSource
    labels: Labels
    _rows: dict[Id, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.examples.dtype != np.uint8 or self.examples.ndim != 4:
            raise DataError(
                f"images are {self.examples.dtype} {list(self.examples.shape)}; "
                "expected uint8 [N, H, W, D]"
            )
        if not len(self.ids) == len(self.examples) == len(self.labels):
            raise DataError(
                f"{len(self.ids)} ids, {len(self.examples)} images and {len(self.labels)} labels; "
                "expected the same number of each"
            )
        rows = {id_: row for row, id_ in enumerate(self.ids)}
        if len(rows) != len(self.ids):
            (first, times), *_ = Counter(self.ids).most_common(1)
            more = len(self.ids) - len(rows) - (times - 1)
            others = f" and {more} further ids too often" if more else ""
            raise DataError(f"id {first!r} occurs {times} times{others}; ids must be unique")
        object.__setattr__(self, "_rows", rows)

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: Sequence[Id]) -> Rows:
        """Rows of ``ids``, int64 [len(ids)].

        Raises:
            DataError: An id is not in this set.
        """
        try:
            return np.fromiter(map(self._rows.__getitem__, ids), np.int64, len(ids))
        except KeyError as error:
            raise DataError(f"no example is called {error.args[0]!r}") from None

    def examples_of(self, ids: Sequence[Id]) -> Images:
        """Images of ``ids``, in that order, in memory, uint8 [len(ids), H, W, D]."""
        return gather(self.examples, self.rows(ids))

    def source_of(self, ids: Sequence[Id]) -> ExampleSource:
        """Images of ``ids``, in that order; nothing is copied or read before it is indexed."""
        return Subset(self.examples, self.rows(ids))

    def labels_of(self, ids: Sequence[Id]) -> Labels:
        """Labels of ``ids``, in that order, int32 [len(ids)]."""
        return self.labels[self.rows(ids)]

    def in_memory(self) -> ExampleSet:
        """The same set with its images in memory."""
        if is_in_memory(self.examples):
            return self
        return ExampleSet(self.ids, self.examples[np.arange(len(self))], self.labels)


@dataclass(frozen=True)
class Dataset:
    """A training set to query from, a test set that is only ever evaluated, and class names.

    Raises:
        DataError: Fewer than two classes, an empty split, images of different or unsupported
            sizes, or a label out of range.
    """

    name: str
    train: ExampleSet
    test: ExampleSet
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.class_names) < 2:
            raise DataError(
                f"dataset {self.name!r} has {len(self.class_names)} class; a classifier needs at "
                "least 2"
            )
        for split, images in (("train", self.train), ("test", self.test)):
            if not len(images):
                raise DataError(f"the {split} split of dataset {self.name!r} is empty")
            if images.labels.max() >= self.classes or images.labels.min() < UNLABELLED:
                raise DataError(
                    f"labels of the {split} split of {self.name!r} go from {images.labels.min()} "
                    f"to {images.labels.max()}; expected 0 to {self.classes - 1}"
                )
        if (self.test.labels == UNLABELLED).any():
            raise DataError(f"the test split of {self.name!r} holds images without a label")
        if self.train.examples.shape[1:] != self.test.examples.shape[1:]:
            raise DataError(
                f"train images of {self.name!r} are {list(self.train.examples.shape[1:])}, test "
                f"images {list(self.test.examples.shape[1:])}; expected one shape"
            )
        height, width, channels = self.shape
        if not (SMALLEST <= height <= LARGEST and SMALLEST <= width <= LARGEST):
            raise DataError(
                f"images of {self.name!r} are {height}x{width} pixels; sizes from {SMALLEST} to "
                f"{LARGEST} work: resize with --image-size"
            )
        if channels not in (1, 3):
            raise DataError(f"images of {self.name!r} have {channels} channels; 1 and 3 work")

    @property
    def classes(self) -> int:
        """C."""
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, D)."""
        height, width, channels = self.train.examples.shape[1:]
        return int(height), int(width), int(channels)


class Loader(Protocol):
    """Loads one kind of dataset."""

    def __call__(
        self,
        argument: str,
        *,
        data_dir: str | None,
        image_size: int | None,
        seed: int,
        stream: bool,
    ) -> Dataset:
        """Load.

        Args:
            argument: What follows the colon in ``--dataset kind:argument``; for a TFDS builder
                its name; else empty.
            data_dir: Folder of prepared TFDS datasets, or None.
            image_size: Resize every image to this many pixels a side, or None.
            seed: Root seed; decides which images are held out where no test split is given.
            stream: Read training images when they are needed; nothing else changes.

        Raises:
            DataError: The data is missing, empty, unreadable or malformed.
        """


LOADERS: Registry[Loader] = Registry("dataset", "bgadl_tf.data.datasets")
