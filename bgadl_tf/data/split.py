"""Holding out a test split, per class, by a seeded draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core import seeding
from bgadl_tf.core.types import Label, Labels
from bgadl_tf.data.dataset import ExampleSet

TEST_FRACTION = 0.2


def fraction_quotas(labels: Labels, classes: int) -> dict[Label, int]:
    """How many examples of each class are held out: a fifth, and at least 1 of 2 or more."""
    sizes = {label: int((labels == label).sum()) for label in range(classes)}
    return {c: max(1, round(TEST_FRACTION * n)) if n >= 2 else 0 for c, n in sizes.items()}


def total_quotas(labels: Labels, classes: int, total: int) -> dict[Label, int]:
    """How many examples of each class are held out so that they add up to ``total``.

    Each class gives in proportion to its size; what rounding down leaves goes to the largest
    remainders.
    """
    sizes = np.bincount(labels, minlength=classes)
    exact = total * sizes / sizes.sum()
    quotas = np.floor(exact).astype(np.int64)
    largest = np.argsort(quotas - exact, kind="stable")[: total - int(quotas.sum())]
    quotas[largest] += 1
    return {label: int(quota) for label, quota in enumerate(quotas)}


def hold_out(
    whole: ExampleSet, quotas: Mapping[Label, int], class_names: Sequence[str], seed: int
) -> tuple[ExampleSet, ExampleSet]:
    """Splits a set in two. Every class draws from a stream of its own, named after the class.

    Args:
        whole: What to split; examples without a label stay in the first part.
        quotas: How many examples of each class go into the second part.
        class_names: Names of the classes.
        seed: Root seed.

    Returns:
        What stays, and what is held out, in memory; both in the order of ``whole``.
    """
    held = np.zeros(len(whole), dtype=np.bool_)
    for label, quota in quotas.items():
        rows = np.flatnonzero(whole.labels == label)
        rng = seeding.generator(seed, 0, "split", class_names[label])
        held[rng.choice(rows, size=quota, replace=False)] = True
    return divide(whole, held)


def divide(whole: ExampleSet, held: NDArray[np.bool_]) -> tuple[ExampleSet, ExampleSet]:
    """Splits a set by a mask ``[N]``: where it is false, and, in memory, where it is true."""
    return whole.part(np.flatnonzero(~held)), whole.part(np.flatnonzero(held)).in_memory()
