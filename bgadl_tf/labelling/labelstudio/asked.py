"""What a run asks, in Label Studio's terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bgadl_tf.core.types import Id
from bgadl_tf.labelling.guesses import guesses
from bgadl_tf.labelling.labelstudio.names import every_name
from bgadl_tf.loop.active_learner import ActiveLearner


@dataclass(frozen=True)
class Asked:
    """Images that are to be labelled, the most informative first.

    Attributes:
        ids: ``[b]``, by today's names.
        scores: ``[b]`` in [0, 1]: the place in the query, so that the lowest is the most
            informative, whatever the acquisition.
        guesses: Name of the class that the trained model holds to be the most probable; none
            before the first training.
        model_version: Of this query, and of no other one.
        names: Today's id and the earlier ones of each example, by which a task may know it.
    """

    ids: tuple[Id, ...]
    scores: tuple[float, ...]
    guesses: Mapping[Id, str]
    model_version: str
    names: Mapping[Id, Sequence[Id]]


def asked(loop: ActiveLearner) -> Asked:
    """What is still to be labelled; errors as of ``ActiveLearner.ask``."""
    open_ = loop.ask().ids
    query = loop.journal.query(loop.round)
    starts = loop.journal.starts_before_query(loop.round)
    made = () if query is None else query.ids
    today = [loop.labelling.now(id_, starts) for id_ in made]
    # What a damaged ledger has lost was asked by an earlier round.
    order = [*(id_ for id_ in open_ if id_ not in today), *today]
    places = {id_: place for place, id_ in enumerate(order) if id_ is not None}
    last = max(1, len(order) - 1)
    names = loop.dataset.class_names
    digest = hashlib.sha256(json.dumps(made).encode()).hexdigest()[:8]
    return Asked(
        ids=open_,
        scores=tuple(places[id_] / last for id_ in open_),
        guesses={id_: names[guess.label] for id_, guess in guesses(loop, open_).items()},
        model_version=f"bgadl-round-{loop.round}-{digest}",
        names=every_name(loop, open_),
    )
