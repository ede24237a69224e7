"""Stages: the parts of a round in which networks are trained, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import tensorflow as tf

from bgadl_tf.core.types import Floats, Labels
from bgadl_tf.learners.batch import Batch


class Trainable(Protocol):
    """What the trainer trains; a ``keras.Model`` with optimizers of its own."""

    @property
    def networks(self) -> Mapping[str, keras.Model]:
        """Every network that its steps change, by name."""

    @property
    def metrics(self) -> Sequence[keras.metrics.Metric]:
        """Means of loss terms and the like, reported while it trains."""

    @property
    def uses_unlabelled(self) -> bool:
        """Whether a batch brings examples of the pool beside the labelled ones."""

    @property
    def uses_views(self) -> bool:
        """Whether a batch brings the stored views of its examples."""

    @property
    def uses_emphasis(self) -> bool:
        """Whether a batch says how much is to be generated of each labelled example."""

    def emphasis(self, labels: Labels, scores: Floats) -> Floats:
        """How much is to be generated of each labelled example, ``[N]``, 1 on average.

        Args:
            labels: ``[N]``.
            scores: ``[N]``, how informative each was when it was asked for; nan where unknown.
        """

    def train_step(self, data: Batch) -> Any:
        """One gradient step, on this replica's share of a batch.

        It is traced without AutoGraph, as by Keras: what depends on a tensor's value is written
        ``tf.where``, ``tf.cond`` or ``tf.while_loop``.
        """


@dataclass(frozen=True)
class Stage:
    """One part of a round; it is resumed where it was interrupted.

    Args:
        name: Tells the stages of a round apart.
        model: Whose training steps are taken.
        noise_seed: A ``[2]`` int32 variable that is set to the stage's seed before it begins.
        resets: Networks, by name, that begin from their initial weights.
        steps: Gradient steps; None for as many as the plan says.
        uses_labels: Whether it trains on the labelled set; if not, on the whole training set
            without any label, and it can run before the first query.
        becomes_initial: Whether the weights at its end are what later rounds begin from.
    """

    name: str
    model: Trainable
    noise_seed: tf.Variable
    resets: tuple[str, ...] = ()
    steps: int | None = None
    uses_labels: bool = True
    becomes_initial: bool = False
