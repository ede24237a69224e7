"""Under which names a task may know an example."""

from __future__ import annotations

from collections.abc import Iterable

from bgadl_tf.core.types import Id
from bgadl_tf.loop.active_learner import ActiveLearner


def every_name(loop: ActiveLearner, ids: Iterable[Id]) -> dict[Id, list[Id]]:
    """Today's id of each example, and below it that one and all earlier ones."""
    names = {id_: [id_] for id_ in ids}
    for name, id_ in loop.labelling.known_ids.items():
        if id_ in names and name != id_:
            names[id_].append(name)
    return names
