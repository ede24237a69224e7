"""Further examples of every round, such as x' = G(E(x*), y*): made once, kept, recalled.

Where an answer is corrected, those that were made under the old label are used no longer, and new
ones are made under the new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query
from bgadl_tf.core import seeding
from bgadl_tf.core.types import Examples, Floats, Id, Labels
from bgadl_tf.engine.scorer import Scorer
from bgadl_tf.learners.batch import Batch
from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.examples import KnownExamples
from bgadl_tf.loop.journal import Journal, Named
from bgadl_tf.loop.labelling import Labelling

NAME = "further"
"""Under which the journal keeps them: ids of the x*, examples, labels, and facts about each."""


class Joined(NamedTuple):
    """Further examples of one round that join the training set.

    Fields:
        ids: Of the x* that they were made of, ``[n]``.
        examples: ``[n, *shape]``.
        labels: ``[n]``.
    """

    ids: Sequence[Id]
    examples: Examples
    labels: Labels


class FurtherExamples:
    """What a learner has made of the queries.

    Args:
        learner: Makes them.
        scorer: Tells how informative they are.
        journal: Keeps them.
        labelling: Who has labelled what.
        examples: Every known one.
        seed: Root seed.
    """

    def __init__(
        self,
        learner: Learner,
        scorer: Scorer,
        journal: Journal,
        labelling: Labelling,
        examples: KnownExamples,
        seed: int,
    ) -> None:
        self._learner, self._scorer, self._journal = learner, scorer, journal
        self._labelling, self._examples, self._seed = labelling, examples, seed

    def make(self, round_: int, query: Query) -> dict[str, float]:
        """Make those of one round, by the networks of the round before; what is kept is not remade.

        Args:
            round_: The round; none are made in round 0.
            query: Its query, answered.

        Returns:
            Facts about them; none where the learner makes none.
        """
        kept = self._journal.kept(round_, NAME)
        if kept is None:
            ids = self._sources(round_, query) if round_ else []
            if not ids:
                return {}
            asked = Batch(self._examples.of(ids), self._labelling.pool.labels_of(ids))
            seed = seeding.seed_pair(self._seed, round_, "generate")
            further = self._learner.further(asked, seed)
            if further is None:
                return {}
            mask_seed = seeding.mask_seed(self._seed, round_)
            kept = {
                "ids": np.array(ids, dtype=str),
                "examples": further.examples,
                "labels": further.labels,
                "joins": np.array(further.joins),
                "starts": np.array(self._labelling.starts),
                **{f"fact_{name}": values for name, values in further.facts.items()},
                "fact_bald_queried": self._bald(asked.examples, mask_seed),
                "fact_bald_generated": self._bald(further.examples, mask_seed),
                **{
                    f"fact_bald_{name}": self._bald(made, mask_seed)
                    for name, made in further.variants.items()
                },
            }
            self._journal.keep(round_, NAME, kept)
        return {name: float(values.mean()) for name, values in facts_of(kept).items()}

    def joined(self, rounds: int) -> list[Joined]:
        """Those that join the training set, of rounds 1 .. ``rounds``: the newest of each id,
        if they were made under the label that the id has now.
        """
        labels = self._labelling.pool.labels
        found: list[Joined] = []
        newer: set[Id | None] = set()
        for round_ in range(rounds, 0, -1):
            kept = self._journal.kept(round_, NAME)
            if kept is None or not kept["joins"]:
                continue
            ids = self._ids_in(kept)
            valid = np.array([
                id_ is not None and id_ not in newer and labels.get(id_) == label
                for id_, label in zip(ids, kept["labels"].tolist(), strict=True)
            ])  # fmt: skip
            newer |= {*ids}
            sources = [id_ for id_, use in zip(ids, valid, strict=True) if use and id_ is not None]
            found.append(Joined(sources, kept["examples"][valid], kept["labels"][valid]))
        return found[::-1]

    def _sources(self, round_: int, query: Query) -> list[Id]:
        """Labelled examples of the query, and those whose corrected label holds from now on."""
        labelled = self._labelling.pool.labels
        starts = self._journal.starts_before_query(round_) if query.ids else 0
        named = [self._labelling.now(id_, starts) for id_ in query.ids]
        asked = [id_ for id_ in named if id_ is not None and id_ in labelled]
        corrected = [*self._labelling.corrected_in(round_)]
        if not corrected:
            return asked
        earlier = (self._journal.kept(number, NAME) for number in range(1, round_))
        made = {id_ for kept in earlier if kept for id_ in self._ids_in(kept)}
        return asked + [id_ for id_ in corrected if id_ in made and id_ not in asked]

    def _ids_in(self, kept: Named) -> list[Id | None]:
        """Today's names of what they were made of."""
        starts = int(kept.get("starts", np.array(0)))
        return [self._labelling.now(id_, starts) for id_ in kept["ids"].tolist()]

    def _bald(self, examples: Examples, mask_seed: int) -> Floats:
        parts = self._scorer.look(examples, mask_seed, mutual_information)
        return np.concatenate([part for (part,) in parts])


def mutual_information(evidence: Evidence) -> tf.Tensor:
    """BALD, ``[n]``, nats."""
    return scores.mutual_information(evidence.moments)


def facts_of(kept: Named) -> dict[str, Floats]:
    """Facts about each further example, ``[b]``, by name."""
    prefix = "fact_"
    return {k.removeprefix(prefix): v for k, v in kept.items() if k.startswith(prefix)}
