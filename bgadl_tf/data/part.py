"""A part of a dataset: the same examples everywhere, whatever their order, decided by their ids.

An image that is renamed may therefore leave its part.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.share import parse_share
from bgadl_tf.core.types import Id
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.id_hash import hash_of


@dataclass(frozen=True)
class Part:
    """What is developed on one part of a dataset can be confirmed on another.

    Args:
        number: From 1 to ``count``.
        count: Parts in all.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``I/N``.

        Raises:
            ConfigError: It is something else, or there is no such part.
        """
        return cls(*parse_share(text, "--part", "1/2 for the first half"))

    def has(self, id_: Id) -> bool:
        """Whether the example of an id belongs to it: one of ``count`` does, by a hash."""
        return hash_of(id_) % self.count == self.number - 1

    def of(self, dataset: Dataset) -> Dataset:
        """This part of the training and of the test set.

        Raises:
            DataError: One of them would be empty.
        """
        return dataclasses.replace(
            dataset,
            name=f"{dataset.name} ({self.number}/{self.count})",
            train=self.of_set(dataset.train, f"training set of {dataset.name!r}"),
            test=self.of_set(dataset.test, f"test set of {dataset.name!r}"),
        )

    def of_set(self, whole: ExampleSet, what: str) -> ExampleSet:
        """This part of a set.

        Args:
            whole: All of it.
            what: How messages call it.

        Raises:
            DataError: There is something, but nothing of this part.
        """
        if not len(whole):
            return whole
        rows = np.array([row for row, id_ in enumerate(whole.ids) if self.has(id_)], np.int64)
        if not len(rows):
            raise DataError(
                f"none of the {len(whole)} examples of the {what} is in --part "
                f"{self.number}/{self.count}; choose another part, or fewer"
            )
        return whole.part(rows)
