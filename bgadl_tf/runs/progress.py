"""What a person sees while a run goes on: a bar with the time left, and TensorBoard."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import tensorflow as tf
from tqdm import tqdm

from bgadl_tf.learners.learner import Learner
from bgadl_tf.loop.callback import Callback
from bgadl_tf.loop.checkpoints import reporting_write_errors
from bgadl_tf.loop.plan import Plan
from bgadl_tf.loop.round import Round


class Progress(Callback):
    """Shows and logs the progress of one run; use it as a context manager.

    Args:
        folder: The run folder.
        learner: Whose stages are taken.
        plan: The protocol.
        finished: Rounds that were over before.
    """

    def __init__(self, folder: Path, learner: Learner, plan: Plan, finished: int) -> None:
        self.folder, self.plan = folder, plan
        self._starts: dict[tuple[int, str], int] = {}
        done = 0
        for round_ in range(plan.rounds + 1):
            for stage in learner.stages(round_, plan.warm_start):
                self._starts[round_, stage.name] = done
                done += plan.steps if stage.steps is None else stage.steps
        self._total = done
        self._finished = sum(1 for round_, _ in self._starts if round_ < finished)

    def __enter__(self) -> Self:
        with reporting_write_errors(self.folder):
            self._writer = tf.summary.create_file_writer(str(self.folder / "tensorboard"))
        starts = [*self._starts.values(), self._total]
        self._bar = tqdm(
            total=self._total,
            initial=starts[self._finished],
            unit="step",
            file=sys.stderr,
            dynamic_ncols=True,
            mininterval=1.0,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        self._writer.close()

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        """Move the bar and log every metric."""
        done = self._starts[round_, stage] + step
        self._bar.set_description(f"round {round_}/{self.plan.rounds} {stage}", refresh=False)
        self._bar.set_postfix({name: f"{means[name]:.3f}" for name in [*means][:2]}, refresh=False)
        self._bar.update(done - self._bar.n)
        with reporting_write_errors(self.folder), self._writer.as_default(step=done):
            for name, value in means.items():
                tf.summary.scalar(f"{stage}/{name}", value)

    def on_round(self, record: Round) -> None:
        """Print and log the round's result."""
        self._finished = sum(1 for round_, _ in self._starts if round_ <= record.round)
        text = f"round {record.round}: {record.labelled} labels, {measured(record)}"
        for name, value in record.facts.items():
            text += f"; {name.replace('_', ' ')} {value:.3f}"
        self._bar.write(text, file=sys.stdout)
        numbers = dict(record.facts)
        if record.test_accuracy is not None and record.test_nll is not None:
            numbers |= {"test_accuracy": record.test_accuracy, "test_nll": record.test_nll}
        with reporting_write_errors(self.folder):
            with self._writer.as_default(step=record.labelled):
                for name, value in numbers.items():
                    tf.summary.scalar(f"round/{name}", value)
            self._writer.flush()


def measured(record: Round) -> str:
    """How good a round is, in words."""
    if record.test_accuracy is None or record.test_nll is None:
        return "accuracy not measured: there are no test images"
    changed = " (on another test set than at first)" if record.test_set else ""
    accuracy = f"test accuracy {100 * record.test_accuracy:.2f} %"
    return f"{accuracy}, nll {record.test_nll:.3f} nats{changed}"
