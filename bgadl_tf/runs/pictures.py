"""Draws every round: the learning curve, and what was queried beside what was made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.checkpoints import reporting_write_errors
from bgadl_tf.loop.further import NAME, facts_of
from bgadl_tf.loop.journal import Journal
from bgadl_tf.loop.round import Round
from bgadl_tf.runs import figures


class Pictures(Callback):
    """Figures of one run.

    Args:
        folder: Where they go.
        dataset: Whose examples they show.
        journal: What the run has kept.
    """

    def __init__(self, folder: Path, dataset: Dataset, journal: Journal) -> None:
        self.folder, self.dataset, self.journal = folder, dataset, journal

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
        kept = self.journal.kept(record.round, NAME)
        if kept is None:
            return
        if "reconstruction_error" in record.facts:
            figures.reconstruction_curve(rounds, self.folder / "reconstruction_curve.png")
        if kept["examples"].ndim == 4:
            facts = facts_of(kept)
            known = np.array([id_ in self.dataset.train for id_ in kept["ids"].tolist()])
            if not known.any():
                return
            figures.queried_and_generated(
                self.dataset.train.examples_of(kept["ids"][known].tolist()),
                kept["examples"][known],
                [self.dataset.class_names[int(label)] for label in kept["labels"][known]],
                facts["bald_queried"][known],
                facts["bald_generated"][known],
                self.folder / f"queried_and_generated_round_{record.round:02d}.png",
            )
