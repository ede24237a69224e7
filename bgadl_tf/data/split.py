"""Holding out a test split, per class, by a seeded draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core import seeding
from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import UNLABELLED, Label, Labels
from bgadl_tf.data.earlier_split import EarlierSplit
from bgadl_tf.data.example_set import ExampleSet
from bgadl_tf.data.part import Part

TEST_FRACTION = 0.2


class Drawn(NamedTuple):
    """A set in two.

    Attributes:
        train: What stays.
        test: What is held out, in memory; empty where nothing has a label.
        held_out: What that is, for people.
        notes: What else is worth knowing.
    """

    train: ExampleSet
    test: ExampleSet
    held_out: str
    notes: tuple[str, ...] = ()


def draw(
    whole: ExampleSet,
    class_names: Sequence[str],
    seed: int,
    earlier: EarlierSplit | None = None,
    part: Part | None = None,
) -> Drawn:
    """Holds out a fifth of every class, or again what was held out before.

    Args:
        whole: What to split.
        class_names: Names of the classes.
        seed: Root seed.
        earlier: What was held out before: of this, all that is there and has a label. Classes
            that have none among it give a fifth of what is not labelled yet. None to draw from
            every class.
        part: What of it there is to split; None for all.

    Raises:
        DataError: Examples have labels, but no class has two; or nothing is of the part.
    """
    if part is not None:
        whole = part.of_set(whole, "dataset")
    quotas = fraction_quotas(whole.labels, len(class_names))
    labelled = whole.labels != UNLABELLED
    used = np.zeros(len(whole), dtype=np.bool_)
    if earlier is None:
        held = np.zeros(len(whole), dtype=np.bool_)
        if labelled.any() and not any(quotas.values()):
            raise DataError(
                "no class has 2 examples with a label, one of which could be held out for "
                "testing: add some, or a test set"
            )
        told = f"a fifth of every class, drawn by seed {seed}"
    else:
        held, used = earlier.rows_of(whole)
        held &= labelled
        kept = {label for label in quotas if held[whole.labels == label].any()}
        quotas = fraction_quotas(np.where(used, UNLABELLED, whole.labels), len(class_names))
        quotas = {label: 0 if label in kept else quota for label, quota in quotas.items()}
        told = "what was held out before, and a fifth of new classes"
    if not labelled.any():
        return Drawn(*divide(whole, held), "nothing, as no label is known")
    alone = [
        class_names[label]
        for label, quota in quotas.items()
        if not quota
        and (whole.labels == label).sum() == 1
        and not held[whole.labels == label].any()
    ]
    notes = f"classes with only one labelled example, which is not held out: {', '.join(alone)}"
    free = np.where(used, UNLABELLED, whole.labels)
    held |= _drawn(free, quotas, class_names, seed)
    return Drawn(*divide(whole, held), told, (notes,) if alone else ())


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
    return divide(whole, _drawn(whole.labels, quotas, class_names, seed))


def divide(whole: ExampleSet, held: NDArray[np.bool_]) -> tuple[ExampleSet, ExampleSet]:
    """Splits a set by a mask ``[N]``: where it is false, and, in memory, where it is true."""
    return whole.part(np.flatnonzero(~held)), whole.part(np.flatnonzero(held)).in_memory()


def _drawn(
    labels: Labels, quotas: Mapping[Label, int], class_names: Sequence[str], seed: int
) -> NDArray[np.bool_]:
    held = np.zeros(len(labels), dtype=np.bool_)
    for label, quota in quotas.items():
        rows = np.flatnonzero(labels == label)
        rng = seeding.generator(seed, 0, "split", class_names[label])
        held[rng.choice(rows, size=quota, replace=False)] = True
    return held
