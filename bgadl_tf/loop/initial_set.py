"""Which examples are labelled before anything is learnt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Id
from bgadl_tf.data.example_set import ExampleSet


def initial_ids(
    train: ExampleSet,
    classes: int,
    size: int | None,
    rng: np.random.Generator,
    taken: Callable[[Id], bool] = lambda id_: False,
) -> tuple[Id, ...]:
    """Ids of the initial set.

    Where every label is held back (a simulation), ``size`` ids as equal per class as they can
    be. Where some examples are unlabelled to everyone, the labelled ones are the initial set;
    where all are, any of them.

    Args:
        train: The training set.
        classes: C.
        size: Examples; None for ten a class, or for all that somebody has labelled.
        rng: What draws.
        taken: Whether an id is out of the question.

    Returns:
        Ids in the order of the dataset.

    Raises:
        ConfigError: There are fewer examples, or labelled ones, than that.
    """
    labels = train.labels
    free = np.array([not taken(id_) for id_ in train.ids], dtype=np.bool_)
    labelled = np.flatnonzero((labels != UNLABELLED) & free)
    if not len(labelled):
        labels, labelled = np.zeros_like(labels), np.flatnonzero(free)
        size = min(10 * classes, len(labelled)) if size is None else size
    if size is None:
        simulated = len(labelled) == len(train)
        size = min(10 * classes, len(labelled)) if simulated else len(labelled)
    if size > len(labelled):
        raise ConfigError(
            f"--initial-size is {size}, but only {len(labelled)} training examples "
            f"{'have a label' if labels is train.labels else 'are left'}"
        )
    shuffled = rng.permutation(labelled)
    place_in_class = np.empty(len(shuffled), dtype=np.int64)
    for label in np.unique(labels[shuffled]):
        members = np.flatnonzero(labels[shuffled] == label)
        place_in_class[members] = np.arange(len(members))
    # The first of every class, then the second of every class, and so on, each in random order.
    chosen = shuffled[np.argsort(place_in_class, kind="stable")[:size]]
    return tuple(train.ids[row] for row in np.sort(chosen))
