"""How far the training of a round is, and a way to end it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from bgadl_tf.loop.callback import Callback


class StoppedError(Exception):
    """Ends a training that nobody waits for any more; its checkpoints are kept."""


@dataclass(frozen=True)
class Step:
    """How far a round is.

    Args:
        round: Which one.
        stage: The part of it that is trained.
        step: Gradient steps done in that part.
    """

    round: int
    stage: str
    step: int


class Watching(Callback):
    """Notes the newest step.

    Attributes:
        step: It; None before the first.
    """

    def __init__(self) -> None:
        self.step: Step | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Make training end at its next report."""
        self._stopping.set()

    def on_step(self, round_: int, stage: str, step: int, means: Mapping[str, float]) -> None:
        self.step = Step(round_, stage, step)
        if self._stopping.is_set():
            raise StoppedError(f"stopped in round {round_} at step {step} of {stage}")
