"""Draws every round: the learning curve, and what was queried beside what was made of it.

In the features of a backbone, images stand for vectors: that of x*, and for x' the one whose
features are nearest.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from bgadl_tf.core.errors import DataError
from bgadl_tf.core.types import Images, Rows
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.checkpoints import reporting_write_errors
from bgadl_tf.loop.further import NAME, facts_of
from bgadl_tf.loop.journal import Journal, Named
from bgadl_tf.loop.round import Round
from bgadl_tf.runs import figures
from bgadl_tf.runs.nearest import nearest

logger = logging.getLogger(__name__)


class Pictures(Callback):
    """Figures of one run.

    Args:
        folder: Where they go.
        dataset: Whose examples they show.
        journal: What the run has kept.
    """

    def __init__(self, folder: Path, dataset: Dataset, journal: Journal) -> None:
        self.folder, self.dataset, self.journal = folder, dataset, journal
        self._told = False

    def on_round(self, record: Round) -> None:
        """Draw what the round has changed."""
        with reporting_write_errors(self.folder):
            self.draw(record)

    def catch_up(self) -> None:
        """Draw the newest round, if a crash came before its figures."""
        rounds = self.journal.finished()
        curve = self.folder / "learning_curve.png"
        if rounds and (not curve.exists() or curve.stat().st_mtime < self._finished_at()):
            self.on_round(Round.from_json(rounds[-1]))

    def _finished_at(self) -> float:
        return (self.folder.parent / "rounds.jsonl").stat().st_mtime

    def draw(self, record: Round) -> None:
        """Draw a round, all figures of it."""
        rounds = self.journal.finished()
        figures.run_curves(rounds, self.folder / "learning_curve.png")
        figures.weight_curves(rounds, self.folder / "weights.png")
        kept = self.journal.kept(record.round, NAME)
        if kept is None:
            return
        images_are_learnt = len(self.dataset.shape) == 3
        if "reconstruction_error" in record.facts:
            unit = "pixels in [0, 1]" if images_are_learnt else "features"
            path = self.folder / "reconstruction_curve.png"
            figures.reconstruction_curve(rounds, path, unit=unit)
        known = np.array([id_ in self.dataset.train for id_ in kept["ids"].tolist()])
        if not known.any():
            return
        drawn = np.flatnonzero(known)[: figures.MOST_PAIRS]
        shown = self._images(kept, drawn)
        if shown is None:
            return
        facts = facts_of(kept)
        figures.queried_and_generated(
            *shown,
            [self.dataset.class_names[int(label)] for label in kept["labels"][drawn]],
            facts["bald_queried"][drawn],
            facts["bald_generated"][drawn],
            self.folder / f"queried_and_generated_round_{record.round:02d}.png",
            total=int(known.sum()),
            beside="generated x′" if images_are_learnt else "nearest real image to x′",
        )

    def _images(self, kept: Named, drawn: Rows) -> tuple[Images, Images] | None:
        """x*, and x' or what stands for it; None where there are no images to be had."""
        ids, made = kept["ids"][drawn].tolist(), kept["examples"][drawn]
        if made.ndim == 4:
            return self.dataset.train.examples_of(ids), made
        embedded = self.dataset.embedded
        if embedded is None:
            return None
        train = self.dataset.train
        try:
            near = [train.ids[row] for row in nearest(made, train.examples)]
            return embedded.images(ids), embedded.images(near)
        except (DataError, OSError) as error:  # a picture is no reason to stop a run
            if not self._told:
                logger.warning("there will be no pictures of what is queried: %s", error)
            self._told = True
            return None
