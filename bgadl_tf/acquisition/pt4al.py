"""PT4AL: batches by the loss of a pretext task, and within a batch the least sure ones.

Yi, Seo, Park and Choi, "PT4AL: Using Self-Supervised Pretext Tasks for Active Learning" (ECCV
2022): a network that predicts rotations is trained on the whole pool, once. The examples in the
order of its loss, the largest first, are cut into batches. The initial set is every k-th example of
the first batch; round i asks, of batch i, for those of which the classifier is the least sure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, PoolView
from bgadl_tf.acquisition.blocks import blocks_of, padded
from bgadl_tf.acquisition.evidence import Evidence
from bgadl_tf.acquisition.query import Query, Scores, TopScores
from bgadl_tf.acquisition.rotation import RotationTask
from bgadl_tf.core.errors import ConfigError, PoolError
from bgadl_tf.core.types import Floats, Id, Rows
from bgadl_tf.learners.abilities import SquareImages

Numbers = NDArray[np.int64]
"""Numbers of batches, int64 ``[N]``."""

BLOCK = 250
"""Images whose rotations are seen at a time."""

EDGES, WEIGHT = "edges", "weight_"
"""What is remembered: the smallest loss of every batch but the last, and the network's weights."""


@ACQUISITIONS.register("pt4al")
@dataclass(frozen=True)
class PT4AL:
    """Asks, round after round, for hard examples of easier and easier batches.

    Losses are compared as numbers, and equal ones go by id; which of the candidates that the
    classifier is equally sure of are taken is drawn. Where batches are cut is found once, among the
    candidates and the labelled examples of the first query, and remembered with the network: later
    candidates fall into the batches of their losses. A batch that has too few left is filled up
    from the next ones, then from those before; after the last batch all that is left is one. Scores
    are pretext losses, nats, of the initial set, later 1 - max p of the pass without dropout.

    Memory: O(N) numbers, a chunk of images, and the network of the pretext task, see ``rotation``.
    Time: once ``steps`` training steps on four rotations of each image of a batch; in every query
    four passes over the candidates.

    Args:
        batches: Into how many the examples are cut; one more than rounds uses all of them.
        steps: Of the pretext task's training.
        learning_rate: Of its Adam.
    """

    needs: ClassVar[tuple[type, ...]] = (SquareImages,)
    chooses_initial_set: ClassVar[bool] = True

    batches: int = 10
    steps: int = 1000
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("batches", "steps"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"--option pt4al.{name} is {value}; it must be at least 1")
        if not self.learning_rate > 0:
            raise ConfigError(
                f"--option pt4al.learning_rate is {self.learning_rate}; it must be positive"
            )

    def query(self, view: PoolView, size: int, rng: np.random.Generator) -> Query:
        if size > len(view.ids):
            raise PoolError(
                f"{size} labels were asked for, but only {len(view.ids)} candidates are left"
            )
        # Drawn whether or not it is used, so that an interrupted query draws the same after it.
        seed = int(rng.integers(2**31))
        task = view.make(lambda like: RotationTask.drawn(like, seed, self.learning_rate))
        kept = view.remember("pt4al", lambda: self._trained(view, task))
        weights = task.classifier.weights
        for number, weight in enumerate(weights):
            weight.assign(kept[f"{WEIGHT}{number}"])
        ids = sorted(view.ids)
        losses = self._losses(view, ids, task)
        batches = batch_numbers(losses, kept[EDGES])
        if view.round == 0:
            rows = spread_out(losses, batches, size)
            scores: Scores = losses
        else:
            scores = 1.0 - self._confidences(view, ids)
            order = self._order(batches, view.round)
            rows = least_sure(scores, order, rng.permutation(len(ids)), size)
        ranked = sorted(rows, key=lambda row: (-scores[row], row))
        return Query(tuple(ids[row] for row in ranked), tuple(float(scores[row]) for row in ranked))

    def _order(self, batches: Numbers, number: int) -> Numbers:
        """Which batches come first in a round: its own, those after it, those before it."""
        if number >= self.batches:
            return np.zeros_like(batches)
        order: Numbers = np.where(batches >= number, batches - number, self.batches - 1 - batches)
        return order

    def see(self, evidence: Evidence) -> tf.Tensor:
        """The images as networks see them, ``[n, H, H, D]``."""
        return evidence.inputs

    def confidence(self, evidence: Evidence) -> tf.Tensor:
        """max p of the deterministic pass, ``[n]``."""
        return tf.exp(tf.reduce_max(evidence.log_probs, 1))

    def _trained(self, view: PoolView, task: RotationTask) -> Mapping[str, NDArray[Any]]:
        view.train(task, self.steps, labels=False)
        ids = sorted({*view.ids, *view.labels})
        weights = {f"{WEIGHT}{n}": w.numpy() for n, w in enumerate(task.classifier.weights)}
        return {EDGES: edges_of(self._losses(view, ids, task), self.batches), **weights}

    def _losses(self, view: PoolView, ids: Sequence[Id], task: RotationTask) -> Floats:
        """Pretext losses ``[N]`` float32, nats; blocks do not depend on how the pool is cut."""
        shape = task.classifier.example_shape
        of_block = tf.function(
            task.losses_of,
            input_signature=[tf.TensorSpec((BLOCK, *shape), tf.float32)],
            autograph=False,
        )
        found = [
            of_block(tf.constant(padded(images, BLOCK))).numpy()[: len(images)]
            for images in blocks_of((part for (part,) in view.look(self.see, ids)), BLOCK)
        ]
        checked = TopScores(ids, 1)
        checked.add(np.concatenate(found))
        checked.query()  # says so if one is not finite
        losses: Floats = np.concatenate(found)
        return losses

    def _confidences(self, view: PoolView, ids: Sequence[Id]) -> Floats:
        found: Floats = np.concatenate([part for (part,) in view.look(self.confidence, ids)])
        checked = TopScores(ids, 1)
        checked.add(found)
        checked.query()
        return found


def edges_of(losses: Floats, batches: int) -> Floats:
    """The smallest loss of every batch but the last, ``[batches - 1]``, falling.

    Args:
        losses: ``[N]``.
        batches: As equal in size as can be; those that would be empty have the edge before.
    """
    falling = -np.sort(-losses)
    ends = np.cumsum([len(part) for part in np.array_split(falling, batches)])[:-1]
    edges: Floats = falling[np.maximum(ends - 1, 0)]
    return edges


def batch_numbers(losses: Floats, edges: Floats) -> Numbers:
    """To which batch each loss belongs, ``[N]`` from 0, the batch of the largest ones."""
    numbers: Numbers = (losses[:, None] < edges[None, :]).sum(axis=1)
    return numbers


def spread_out(losses: Floats, batches: Numbers, size: int) -> list[int]:
    """Rows of the initial set: every k-th of the first batch, by falling loss.

    A batch that is smaller than the set is filled up from the next ones.
    """
    falling = np.lexsort((np.arange(len(losses)), -losses))
    first = falling[: max(size, int((batches == 0).sum()))]
    return [int(first[place * len(first) // size]) for place in range(size)]


def least_sure(scores: Scores, order: Numbers, ties: Rows, size: int) -> list[int]:
    """Rows of the largest scores ``[N]`` of what comes first in ``order`` ``[N]``; of equal ones
    those that come first in ``ties`` ``[N]``.
    """
    rows = np.lexsort((ties, -scores, order))
    return [int(row) for row in rows[:size]]
