"""Examples of a dataset that are the same, byte for byte."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bgadl_tf.core.types import UNLABELLED, Id
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.data.source import kind


class Copy(NamedTuple):
    """One of several examples that are the same.

    Attributes:
        id: Its id.
        tests: Whether it is in the test set.
        class_name: Of its label; None where nobody knows.
    """

    id: Id
    tests: bool
    class_name: str | None


class Duplicates(NamedTuple):
    """Examples that are the same.

    Attributes:
        groups: Those that are one, in the order of the dataset, training examples first.
        kind: What messages call examples.
    """

    groups: list[list[Copy]]
    kind: str

    def lines(self, shown: int) -> list[str]:
        """What people should know of them, a line each.

        Args:
            shown: Groups that a line names of many.
        """
        train, test = (
            [own for group in self.groups if len(own := _of(group, tests)) > 1]
            for tests in (False, True)
        )
        both = [group for group in self.groups if _of(group, True) and _of(group, False)]
        leaked = sum(len(_of(group, True)) for group in both)
        unequal = [
            group
            for group in self.groups
            if len({copy.class_name for copy in group if copy.class_name is not None}) > 1
        ]
        return [
            f"duplicates in the training set: {_told(train, shown)}",
            f"duplicates in the test set: {_told(test, shown)}",
            "duplicates between training and test set: "
            + (
                f"a leak: {leaked} of the {self.kind} to test on can also be trained on, so that "
                f"accuracy says too much: {_told(both, shown)}"
                if both
                else "none"
            ),
            f"duplicates with different labels: {_told(unequal, shown, classes=True)}",
        ]


def find(dataset: Dataset) -> Duplicates:
    """Compares all examples by digests of their contents.

    Raises:
        DataError: An example cannot be read.
    """
    digests = np.concatenate([dataset.train.digests(), dataset.test.digests()])
    values, groups, counts = np.unique(digests, return_inverse=True, return_counts=True)
    found: dict[int, list[Copy]] = {}
    for row in np.flatnonzero(counts[groups] > 1).tolist():
        tests = row >= len(dataset.train)
        part, place = (dataset.test, row - len(dataset.train)) if tests else (dataset.train, row)
        label = int(part.labels[place])
        name = None if label == UNLABELLED else dataset.class_names[label]
        found.setdefault(int(values[groups[row]]), []).append(Copy(part.ids[place], tests, name))
    return Duplicates([*found.values()], kind(dataset.train.examples))


def _of(group: list[Copy], tests: bool) -> list[Copy]:
    return [copy for copy in group if copy.tests == tests]


def _told(groups: list[list[Copy]], shown: int, classes: bool = False) -> str:
    """``2 groups: a.png = b.png; c.png = d.png``."""
    if not groups:
        return "none"
    named = [
        " = ".join(
            f"{copy.id} ({copy.class_name or '?'})" if classes else copy.id for copy in group
        )
        for group in groups[:shown]
    ]
    more = f"; and {len(groups) - shown} more" if len(groups) > shown else ""
    count = "1 group" if len(groups) == 1 else f"{len(groups)} groups"
    return f"{count}: {'; '.join(named)}{more}"
