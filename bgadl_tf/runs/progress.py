"""What a person sees while a run goes on: a bar with the time left, TensorBoard, pictures."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from bgadl_tf.core.types import Json
from bgadl_tf.data.dataset import Dataset
from bgadl_tf.loop.active_learner import Plan
from bgadl_tf.loop.journal import Generated, Round
from bgadl_tf.runs import figures
from bgadl_tf.runs.run_folder import reporting_write_errors


class Progress:
    """Shows and logs the progress of one run; use it as a context manager.

    Args:
        folder: The run folder.
        plan: The protocol.
        finished: Rounds that were over before.
    """

    def __init__(self, folder: Path, plan: Plan, finished: int) -> None:
        self.folder, self.plan = folder, plan
        with reporting_write_errors(folder):
            self._writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
        self._bar = tqdm(
            total=(plan.rounds + 1) * plan.steps,
            initial=finished * plan.steps,
            unit="step",
            file=sys.stderr,
            dynamic_ncols=True,
            mininterval=1.0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        self._writer.close()

    def on_step(self, round_: int, step: int, means: Mapping[str, float]) -> None:
        """Move the bar and log every loss term."""
        done = round_ * self.plan.steps + step
        self._bar.set_description(f"round {round_}/{self.plan.rounds}", refresh=False)
        self._bar.set_postfix(loss=f"{means['classification']:.3f}", refresh=False)
        self._bar.update(done - self._bar.n)
        with reporting_write_errors(self.folder), self._writer.as_default(step=done):
            for name, value in means.items():
                tf.summary.scalar(f"loss/{name}", value)

    def on_round(
        self, record: Round, rounds: list[Json], generated: Generated | None, dataset: Dataset
    ) -> None:
        """Print the round's result, log it, and draw the learning curve and the queried images."""
        told = (
            f"round {record.round}: {record.labelled} labels, test accuracy "
            f"{100 * record.test_accuracy:.2f} %, nll {record.test_nll:.3f} nats"
        )
        if record.reconstruction_error is not None:
            told += (
                f"; |x'-x*| {record.reconstruction_error:.2f}, BALD of x* "
                f"{record.bald_queried:.3f}, of x' {record.bald_generated:.3f} nats"
            )
        self._bar.write(told, file=sys.stdout)
        with reporting_write_errors(self.folder):
            with self._writer.as_default(step=record.labelled):
                for name, value in record.to_json().items():
                    if isinstance(value, float):
                        tf.summary.scalar(f"round/{name}", value)
            self._writer.flush()
            self._draw(record, rounds, generated, dataset)

    def _draw(
        self, record: Round, rounds: list[Json], generated: Generated | None, dataset: Dataset
    ) -> None:
        drawn = self.folder / "figures"
        figures.run_curves(rounds, drawn / "learning_curve.png")
        if generated is not None and len(generated.ids):
            figures.reconstruction_curve(rounds, drawn / "reconstruction_curve.png")
            figures.queried_and_generated(
                dataset.train.examples_of(generated.ids),
                generated.images,
                [dataset.class_names[int(label)] for label in generated.labels],
                np.asarray(generated.bald_queried),
                np.asarray(generated.bald),
                drawn / f"queried_and_generated_round_{record.round:02d}.png",
            )
