"""Test sets of another dataset than the one that is learnt from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Labels, Shape
from bgadl_tf.data.dataset import Dataset


def with_test_of(dataset: Dataset, other: Dataset) -> Dataset:
    """The training set of one dataset, tested on the test set of another.

    Args:
        dataset: What is learnt from; its own test set is not used.
        other: Its examples have the same shape, its classes the same names in any order; examples
            of classes that ``dataset`` has not are left out, and counted in the intake.

    Raises:
        ConfigError: The examples are of another shape, or no class is common to both.
    """
    if other.shape != dataset.shape:
        raise ConfigError(
            f"--test-dataset {other.name!r} has examples of {list(other.shape)}, and dataset "
            f"{dataset.name!r} of {list(dataset.shape)}; give an --image-size that suits both, "
            "or another test set"
        )
    new_of = _indices(other.class_names, dataset.class_names)
    labels = new_of[other.test.labels]
    rows = np.flatnonzero(labels != UNLABELLED)
    if not len(rows):
        raise ConfigError(
            f"--test-dataset {other.name!r} has no test example of any class of "
            f"{dataset.name!r}: {', '.join(dataset.class_names)}; its classes are "
            f"{', '.join(other.class_names)}"
        )
    test = dataclasses.replace(other.test.part(rows), labels=labels[rows])
    note = f"tested on {len(rows)} of {len(other.test)} test examples of {other.name}"
    return dataclasses.replace(
        dataset,
        name=f"{dataset.name} tested on {other.name}",
        test=test,
        intake=dataclasses.replace(dataset.intake, notes=(*dataset.intake.notes, note)),
    )


def side_of(shape: Shape) -> int | None:
    """Pixels a side to which other images are resized to fit square ones; None for all else."""
    return shape[0] if len(shape) == 3 and shape[0] == shape[1] else None


def _indices(names: Sequence[str], wanted: Sequence[str]) -> Labels:
    """The place of each name among the wanted ones; ``UNLABELLED`` where it is none of them."""
    found = [wanted.index(name) if name in wanted else UNLABELLED for name in names]
    return np.array(found, np.int32)
