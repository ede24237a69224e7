"""Which examples are labelled before anything is learnt."""

from __future__ import annotations

import numpy as np

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import UNLABELLED, Id
from bgadl_tf.data.dataset import ExampleSet


def initial_ids(
    train: ExampleSet, classes: int, size: int | None, rng: np.random.Generator
) -> tuple[Id, ...]:
    """Ids of the initial set.

    Where every label is held back (a simulation), ``size`` ids as equal per class as they can
    be. Where some examples are unlabelled to everyone, the labelled ones are the initial set.

    Args:
        train: The training set.
        classes: C.
        size: Examples; None for ten a class, or for all that somebody has labelled.
        rng: What draws.

    Returns:
        Ids in the order of the dataset.

    Raises:
        ConfigError: There are fewer labelled examples than that.
    """
    labelled = np.flatnonzero(train.labels != UNLABELLED)
    if size is None:
        simulated = len(labelled) == len(train)
        size = min(10 * classes, len(labelled)) if simulated else len(labelled)
    if size > len(labelled):
        raise ConfigError(
            f"--initial-size is {size}, but only {len(labelled)} training examples have a label"
        )
    if size == 0:
        raise ConfigError("no training example has a label; label some before round 0")
    shuffled = rng.permutation(labelled)
    place_in_class = np.empty(len(shuffled), dtype=np.int64)
    for label in np.unique(train.labels[shuffled]):
        members = np.flatnonzero(train.labels[shuffled] == label)
        place_in_class[members] = np.arange(len(members))
    # The first of every class, then the second of every class, and so on, each in random order.
    chosen = shuffled[np.argsort(place_in_class, kind="stable")[:size]]
    return tuple(train.ids[row] for row in np.sort(chosen))
