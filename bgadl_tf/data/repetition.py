"""Training sets in which examples are there several times, to see what asks for copies.

Kirsch, van Amersfoort and Gal, "BatchBALD: Efficient and Diverse Batch Acquisition for Deep
Bayesian Active Learning" (NeurIPS 2019), section 4.1, "Repeated MNIST"; here without noise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bgadl_tf.core.errors import ConfigError, DataError
from bgadl_tf.core.types import Id, Images
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.embedded import Embedded
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.id_hash import BITS, hash_of
from bgadl_tf.data.source import Subset


@dataclass(frozen=True)
class Repetition:
    """How often each training example is there.

    Its copies have the ids ``ID#2``, ``ID#3``, … and come after all that are no copies.

    Args:
        times: A whole number from 1 on, of all; or a share below 1: of the examples whose ids a
            hash puts into it, twice.

    Raises:
        ConfigError: It is neither.
    """

    times: float

    def __post_init__(self) -> None:
        whole = self.times >= 1 and self.times == self.times // 1
        if not (whole or 0 < self.times < 1):
            raise ConfigError(
                f"--repeated is {self.times:g}; expected how often each example is to be there, a "
                "whole number from 1 on, or a share between 0 and 1 of those that are there twice"
            )

    @classmethod
    def asked_for(cls, times: float) -> Self | None:
        """None for 1.

        Raises:
            ConfigError: As above.
        """
        asked = cls(times)
        return None if times == 1 else asked

    def count_of(self, id_: Id) -> int:
        """How often the example of an id is there."""
        if self.times >= 1:
            return int(self.times)
        return 2 if hash_of(id_, "repeated") < self.times * 2**BITS else 1

    def of(self, dataset: Dataset) -> Dataset:
        """The same with copies of training examples; nothing is copied in memory or on disk.

        Raises:
            DataError: An example has the id of a copy.
        """
        train = dataset.train
        counts = np.array([self.count_of(id_) for id_ in train.ids], np.int64)
        rows, ids = np.arange(len(train)), [*train.ids]
        for number in range(2, int(counts.max()) + 1):
            again = np.flatnonzero(counts >= number)
            rows = np.concatenate([rows, again])
            ids += [f"{train.ids[row]}#{number}" for row in again.tolist()]
        copies, of = ids[len(train) :], rows[len(train) :].tolist()
        sources = dict(zip(copies, (train.ids[row] for row in of), strict=True))
        if taken := [id_ for id_ in sources if id_ in train or id_ in dataset.test]:
            raise DataError(
                f"--repeated is {self.times:g}, but the id {taken[0]!r} of a copy is that of an "
                f"example of {dataset.name!r}; rename it"
            )
        repeated = ExampleSet(
            tuple(ids),
            Subset(train.examples, rows),
            train.labels[rows],
            train.known_by.part(rows),
            None if train.views is None else Subset(train.views, rows),
        )
        note = (
            f"{len(sources)} copies of training examples join the {len(train)} that there are, "
            f"under ids like {ids[-1]!r}"
        )
        return dataclasses.replace(
            dataset,
            name=f"{dataset.name} (repeated {self.times:g})",
            train=repeated,
            intake=dataclasses.replace(dataset.intake, notes=(*dataset.intake.notes, note)),
            embedded=None if dataset.embedded is None else _of_copies(dataset.embedded, sources),
        )

    def without(self, earlier: EarlierSplit) -> EarlierSplit:
        """How a dataset was split, with those that were repeated in the place of copies."""
        labelled = {_original(id_): digest for id_, digest in earlier.labelled.items()}
        return earlier._replace(labelled=labelled)


def _original(id_: Id) -> Id:
    """What an id is a copy of, or would be if it were one."""
    before, mark, number = id_.rpartition("#")
    return before if mark and number.isdecimal() else id_


def _of_copies(embedded: Embedded, sources: Mapping[Id, Id]) -> Embedded:
    """The same that finds images of copies, too."""

    def images(ids: Sequence[Id]) -> Images:
        return embedded.images([sources.get(id_, id_) for id_ in ids])

    return dataclasses.replace(embedded, images=images)
