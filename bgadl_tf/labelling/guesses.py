"""What the model thinks of the images that it asks about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from bgadl_tf.acquisition import scores
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.core import seeding
from bgadl_tf.core.types import Id, Label
from bgadl_tf.learners.abilities import MCDropout
from bgadl_tf.loop.active_learner import ActiveLearner


@dataclass(frozen=True)
class Guess:
    """The model's guess about one image.

    Args:
        label: The most probable class.
        probability: Of that class, the mean over the MC passes.
        bald: BALD, nats; None of a classifier without dropout.
    """

    label: Label
    probability: float
    bald: float | None


def guesses(loop: ActiveLearner, ids: Sequence[Id]) -> dict[Id, Guess]:
    """A guess about each id, under the round's masks; none before there is a model.

    Args:
        loop: Between two rounds.
        ids: What is asked about.
    """
    if not loop.round or not ids:
        return {}
    look = _with_dropout if isinstance(loop.learner, MCDropout) else _without_dropout
    seed = seeding.mask_seed(loop.plan.seed, loop.round)
    found: dict[Id, Guess] = {}
    left = iter(ids)
    for probabilities, *bald in loop.scorer.look(loop.examples.source_of(ids), seed, look):
        for row, of_row in enumerate(probabilities):
            label = int(of_row.argmax())
            score = float(bald[0][row]) if bald else None
            found[next(left)] = Guess(label, float(of_row[label]), score)
    return found


def _with_dropout(evidence: Evidence) -> tuple[tf.Tensor, tf.Tensor]:
    return evidence.moments.mean_probs, scores.mutual_information(evidence.moments)


def _without_dropout(evidence: Evidence) -> tf.Tensor:
    return tf.exp(evidence.log_probs)
