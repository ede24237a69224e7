"""What every dataset is: a training set, a test set, and names of classes."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Id, Shape
from bgadl_tf.data import checked, vectors
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.projection import Projection
from bgadl_tf.data.source import ExampleSource, StoredExamples, kind

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """A training set to query from, a test set that is only ever evaluated, and class names.

    Attributes:
        name: What messages and run folders call it.
        train: The training set.
        test: The test set; empty only where no label is known at all.
        class_names: C names.
        intake: What became of all that was found.
        embedded: Of vectors that a backbone made of images, which and of what; else None.
        projection: What has become of vectors since they were loaded; None where they are as they
            were.
        left_out: Of a task of a few classes, the training examples of all other classes, labelled
            from 0 on; nobody is asked about them. None where there are none.

    Raises:
        DataError: Fewer than two classes, an empty split, examples of different or impossible
            shapes, or a label out of range.
    """

    name: str
    train: ExampleSet
    test: ExampleSet
    class_names: tuple[str, ...]
    intake: Intake = field(default=Intake(), repr=False, compare=False)
    embedded: Embedded | None = field(default=None, repr=False, compare=False)
    projection: Projection | None = field(default=None, repr=False, compare=False)
    left_out: ExampleSet | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.class_names) < 2:
            raise DataError(
                f"dataset {self.name!r} has {len(self.class_names)} class; a classifier needs at "
                "least 2"
            )
        for split, part in (("train", self.train), ("test", self.test)):
            if not len(part):
                if part is self.test and (self.train.labels == UNLABELLED).all():
                    continue  # no label is known that could be held out
                raise DataError(f"the {split} split of dataset {self.name!r} is empty")
            if part.labels.max() >= self.classes or part.labels.min() < UNLABELLED:
                raise DataError(
                    f"labels of the {split} split of {self.name!r} go from {part.labels.min()} "
                    f"to {part.labels.max()}; expected 0 to {self.classes - 1}"
                )
        trained, tested = self.train.examples, self.test.examples
        if (self.test.labels == UNLABELLED).any():
            raise DataError(f"the test split of {self.name!r} holds {kind(tested)} without a label")
        if trained.shape[1:] != tested.shape[1:]:
            raise DataError(
                f"train {kind(trained)} of {self.name!r} are {list(trained.shape[1:])}, test "
                f"{kind(tested)} {list(tested.shape[1:])}; expected one shape"
            )
        if 0 in self.shape:
            raise DataError(
                f"{kind(trained)} of {self.name!r} are {list(self.shape)}; expected sizes from 1 on"
            )
        if len(self.shape) == 3 and self.shape[-1] not in (1, 3):
            raise DataError(f"images of {self.name!r} have {self.shape[-1]} channels; 1 and 3 work")

    @classmethod
    def from_arrays(
        cls,
        train_examples: ArrayLike | StoredExamples,
        train_labels: ArrayLike | None = None,
        *,
        test_examples: ArrayLike | StoredExamples,
        test_labels: ArrayLike,
        class_names: Sequence[str] | None = None,
        train_ids: Sequence[Id] | None = None,
        name: str = "arrays",
    ) -> Self:
        """A dataset of arrays that are in memory or mapped from files.

        Mapped training examples stay in their files and are read when they are needed. Test
        examples are called ``test-0``, ``test-1``, …, zero-padded.

        Classes of which there is no example are logged.

        Args:
            train_examples: The pool. Images, ``uint8 [N, H, W]`` or ``[N, H, W, D]``, or vectors,
                ``float16``, ``float32`` or ``float64 [N, F]``, which become float32.
            train_labels: Class indices ``[N]`` of any type of integers, ``UNLABELLED`` (-1) where
                nobody knows; None if nobody knows any.
            test_examples: What is only ever evaluated, of the same shape.
            test_labels: A class index each.
            class_names: C names; None for ``0``, ``1``, … up to the largest label.
            train_ids: ``[N]`` unique, stable names; None for ``train-0``, ``train-1``, …,
                zero-padded.
            name: What messages and run folders call the dataset.

        Raises:
            DataError: Arrays have other types, do not fit together, or are empty.
        """
        train = _given("train", train_examples, train_labels, train_ids)
        test = _given("test", test_examples, test_labels, None).in_memory()
        if class_names is None:
            labels = [train.labels, test.labels]
            class_names = checked.numbered_names(labels, f"dataset {name!r}", "class_names")
        names = checked.as_names(class_names, "class_names")
        dataset = cls(name, train, test, names)
        known = np.concatenate([train.labels, test.labels])
        counts = np.bincount(known[known != UNLABELLED], minlength=len(names))
        lacking = [names[label] for label in np.flatnonzero(counts == 0)]
        if lacking:
            logger.warning("%s: no example has the class %s", name, ", ".join(lacking))
        return dataset

    def in_order(self, names: Sequence[str]) -> Dataset:
        """The same with classes in an order that was recorded; those that are new come last.

        Args:
            names: The recorded ones; one that no example has any longer stays a class.
        """
        new = tuple(name for name in self.class_names if name not in names)
        ordered = (*names, *new)
        if ordered == self.class_names:
            return self
        indices = np.array([*map(ordered.index, self.class_names), UNLABELLED], np.int32)

        def of(part: ExampleSet) -> ExampleSet:
            return dataclasses.replace(part, labels=indices[part.labels])

        return dataclasses.replace(
            self, train=of(self.train), test=of(self.test), class_names=ordered
        )

    @property
    def classes(self) -> int:
        """C."""
        return len(self.class_names)

    @property
    def shape(self) -> Shape:
        """(H, W, D) of images, (F,) of vectors."""
        return tuple(int(size) for size in self.train.examples.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of images uint8, of vectors float32."""
        return self.train.examples.dtype


def _given(
    part: str,
    examples: ArrayLike | StoredExamples,
    labels: ArrayLike | None,
    ids: Sequence[Id] | None,
) -> ExampleSet:
    """One split of ``Dataset.from_arrays``."""
    source: ExampleSource
    if isinstance(examples, StoredExamples):
        source = examples
    else:
        array = examples if isinstance(examples, np.memmap) else np.asarray(examples)
        source = checked.as_examples(array, f"{part}_examples", "images", "vectors")
    count, one = len(source), kind(source).removesuffix("s")
    names = (
        checked.numbered_ids(part, count)
        if ids is None
        else checked.as_ids(ids, f"{part}_ids", count, one)
    )
    known = (
        checked.no_labels(count)
        if labels is None
        else checked.as_labels(np.asarray(labels), f"{part}_labels", count, one)
    )
    if isinstance(source, np.ndarray) and source.ndim == 2:
        source = vectors.from_array(source, names)
        vectors.check_labelled(source, known)
    return ExampleSet(names, source, known)
