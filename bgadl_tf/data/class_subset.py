"""Tasks of a few classes of a dataset, e.g. 5 against 7."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet


@dataclass(frozen=True)
class ClassSubset:
    """The examples of some classes.

    Args:
        names: Of the classes, in the order that they are to have.
    """

    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``NAME,NAME,…``.

        Raises:
            ConfigError: There are fewer than two names, or one is there twice.
        """
        names = tuple(name.strip() for name in text.split(","))
        if len(names) < 2 or not all(names) or len({*names}) < len(names):
            raise ConfigError(
                f"--classes is {text!r}; expected two or more different names of classes with "
                "commas between them, e.g. 5,7"
            )
        return cls(names)

    def of(self, dataset: Dataset) -> Dataset:
        """The training and test examples of these classes; others are kept apart, ``left_out``.

        Raises:
            ConfigError: There is no such class, or a training example has no label.
            DataError: There are no examples left.
        """
        train, test = (
            self._of_set(part, dataset.class_names, f"{split} set of {dataset.name!r}")
            for split, part in (("training", dataset.train), ("test", dataset.test))
        )
        note = f"{len(self.names)} of {dataset.classes} classes are used"
        return dataclasses.replace(
            dataset,
            name=f"{dataset.name} ({','.join(self.names)})",
            train=train,
            test=test,
            class_names=self.names,
            left_out=self._rest_of(dataset),
            intake=dataclasses.replace(dataset.intake, notes=(*dataset.intake.notes, note)),
        )

    def _rest_of(self, dataset: Dataset) -> ExampleSet | None:
        """Training examples of all other classes, numbered in the order of their names."""
        rest = [name for name in dataset.class_names if name not in self.names]
        number = np.full(len(dataset.class_names), UNLABELLED, np.int32)
        number[[dataset.class_names.index(name) for name in rest]] = np.arange(len(rest))
        labels = number[dataset.train.labels]
        rows = np.flatnonzero(labels != UNLABELLED)
        if not len(rows):
            return None
        return dataclasses.replace(dataset.train.part(rows), labels=labels[rows])

    def _of_set(self, whole: ExampleSet, known: Sequence[str], what: str) -> ExampleSet:
        if missing := [name for name in self.names if name not in known]:
            raise ConfigError(
                f"--classes names {missing[0]!r}, which is no class of the {what}; its classes "
                f"are {', '.join(known)}"
            )
        if unknown := int((whole.labels == UNLABELLED).sum()):
            raise ConfigError(
                f"--classes is given, but {unknown} of the {len(whole)} examples of the {what} "
                "have no label, so that nobody knows their classes; leave it out, or label them all"
            )
        new_of = np.full(len(known), UNLABELLED, np.int32)
        for new, name in enumerate(self.names):
            new_of[known.index(name)] = new
        labels = new_of[whole.labels]
        rows = np.flatnonzero(labels != UNLABELLED)
        return dataclasses.replace(whole.part(rows), labels=labels[rows])
