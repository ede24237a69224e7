"""What every dataset is: examples under stable ids, labels where somebody knows them."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Examples, Id, Labels, Rows, Shape
from bgadl_tf.data import checked, vectors
from bgadl_tf.data.contents import Contents, Digests, JoinedContents, RowContents
from bgadl_tf.data.intake import Intake
from bgadl_tf.data.source import (
    IMAGE_TYPE,
    VECTOR_TYPE,
    ExampleSource,
    StoredExamples,
    Subset,
    gather,
    is_in_memory,
    join,
    kind,
    part_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExampleSet:
    """Images or vectors under ids.

    Attributes:
        ids: ``[N]`` unique, stable names.
        examples: Images, ``uint8 [N, H, W, D]``, or vectors, ``float32 [N, F]``, in memory or
            read when they are indexed.
        labels: ``int32 [N]``; ``UNLABELLED`` where nobody knows.
        contents: By which examples are recognised again; None for what they are made of.

    Raises:
        DataError: Lengths, shapes or dtypes do not fit together, an id occurs twice, or a vector
            in memory is not finite.
    """

    ids: tuple[Id, ...]
    examples: ExampleSource
    labels: Labels
    contents: Contents | None = field(default=None, repr=False, compare=False)
    _rows: dict[Id, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.examples.dtype, self.examples.ndim) not in ((IMAGE_TYPE, 4), (VECTOR_TYPE, 2)):
            raise DataError(
                f"examples are {self.examples.dtype} {list(self.examples.shape)}; expected images, "
                "uint8 [N, H, W, D], or vectors, float32 [N, F]; Dataset.from_arrays converts "
                "what can be converted"
            )
        if not len(self.ids) == len(self.examples) == len(self.labels):
            raise DataError(
                f"{len(self.ids)} ids, {len(self.examples)} {kind(self.examples)} and "
                f"{len(self.labels)} labels; expected the same number of each"
            )
        rows = {id_: row for row, id_ in enumerate(self.ids)}
        if len(rows) != len(self.ids):
            (first, times), *_ = Counter(self.ids).most_common(1)
            more = len(self.ids) - len(rows) - (times - 1)
            others = f" and {more} further ids too often" if more else ""
            raise DataError(f"id {first!r} occurs {times} times{others}; ids must be unique")
        if is_in_memory(self.examples) and self.examples.ndim == 2:
            vectors.check_finite(self.examples[:], self.ids)
        object.__setattr__(self, "_rows", rows)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._rows

    def rows(self, ids: Sequence[Id]) -> Rows:
        """Rows of ``ids``, int64 [len(ids)].

        Raises:
            DataError: An id is not in this set.
        """
        try:
            return np.fromiter(map(self._rows.__getitem__, ids), np.int64, len(ids))
        except KeyError as error:
            raise DataError(f"no example is called {error.args[0]!r}") from None

    def examples_of(self, ids: Sequence[Id]) -> Examples:
        """Examples of ``ids``, in that order and in memory."""
        return gather(self.examples, self.rows(ids))

    def source_of(self, ids: Sequence[Id]) -> ExampleSource:
        """Examples of ``ids``, in that order; nothing is copied or read before it is indexed."""
        return Subset(self.examples, self.rows(ids))

    def labels_of(self, ids: Sequence[Id]) -> Labels:
        """Labels of ``ids``, in that order, int32 [len(ids)]."""
        return self.labels[self.rows(ids)]

    def in_memory(self) -> ExampleSet:
        """The same set with its examples in memory."""
        if is_in_memory(self.examples):
            return self
        examples = self.examples[np.arange(len(self))]
        return ExampleSet(self.ids, examples, self.labels, self.contents)

    def part(self, rows: Rows) -> ExampleSet:
        """Some of the examples, copied only where they are in memory."""
        ids = tuple(self.ids[row] for row in rows.tolist())
        examples = part_of(self.examples, rows)
        contents = None if self.contents is None else self.contents.part(rows)
        return ExampleSet(ids, examples, self.labels[rows], contents)

    @property
    def known_by(self) -> Contents:
        """``contents``, or else what the examples themselves are made of."""
        return self.contents or RowContents(self.examples)

    def digests(self) -> Digests:
        """A number for the content of each example, uint64 [N]; reads all of it.

        Raises:
            DataError: An example cannot be read.
        """
        return self.known_by.digests(np.arange(len(self), dtype=np.int64))


def join_sets(sets: Sequence[ExampleSet]) -> ExampleSet:
    """Several sets as one; their ids differ."""
    if len(sets) == 1:
        return sets[0]
    return ExampleSet(
        tuple(id_ for one in sets for id_ in one.ids),
        join([one.examples for one in sets]),
        np.concatenate([one.labels for one in sets]),
        JoinedContents([(one.known_by, len(one)) for one in sets]),
    )


@dataclass(frozen=True)
class Dataset:
    """A training set to query from, a test set that is only ever evaluated, and class names.

    Attributes:
        name: What messages and run folders call it.
        train: The training set.
        test: The test set; empty only where no label is known at all.
        class_names: C names.
        intake: What became of all that was found.

    Raises:
        DataError: Fewer than two classes, an empty split, examples of different or impossible
            shapes, or a label out of range.
    """

    name: str
    train: ExampleSet
    test: ExampleSet
    class_names: tuple[str, ...]
    intake: Intake = field(default=Intake(), repr=False, compare=False)

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
