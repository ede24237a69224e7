"""A model and its versions, and how far each has come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from tensorflow_serving.apis import get_model_status_pb2

from bgadl_tf.serving.server import base_path
from bgadl_tf.serving.server.configuration import ModelConfig
from bgadl_tf.serving.server.inference import Servable
from bgadl_tf.serving.server.status import Code, StatusError

State = get_model_status_pb2.ModelVersionStatus.State


@dataclass(eq=False)
class Version:
    """One version and how far it has come.

    Attributes:
        number: Of the version.
        path: Its folder.
        state: A ``State``.
        error: Why it could not be loaded.
        servable: What is in memory, while it is available or being unloaded.
        requests: How many it is answering.
        attempts: How often loading was tried.
        next_attempt: Time before which it is not tried again.
    """

    number: int
    path: Path
    state: int = State.START
    error: StatusError | None = None
    servable: Servable | None = None
    requests: int = 0
    attempts: int = 0
    next_attempt: float = 0.0

    def is_due(self, retries: int) -> bool:
        """Whether it failed to load and it is time for one of its further attempts."""
        failed = self.error is not None and self.attempts <= retries
        return failed and time.monotonic() >= self.next_attempt


@dataclass(eq=False)
class Model:
    """A model, its versions by folder, and its labels that are in force.

    By folder and not by number: another base path has other versions of the same numbers.

    Attributes:
        config: What is wanted of it.
        versions: All that were ever wanted.
        wanted: Folders of those that are.
        labels: Name -> number.
        empty_polls: Looks in a row that found no version.
        why_none: Why the last of them found none; None where there is one.
    """

    config: ModelConfig
    versions: dict[Path, Version] = field(default_factory=dict)
    wanted: set[Path] = field(default_factory=set)
    labels: dict[str, int] = field(default_factory=dict)
    empty_polls: int = 0
    why_none: str | None = None

    def in_state(self, state: int) -> list[Version]:
        """Its versions in a state."""
        return [version for version in self.versions.values() if version.state == state]

    @property
    def available(self) -> dict[int, Version]:
        """By number; of two the one found later."""
        return {version.number: version for version in self.in_state(State.AVAILABLE)}

    @property
    def known(self) -> dict[int, Version]:
        """By number; of two the one that is available, or else the one found later."""
        return {version.number: version for version in self.versions.values()} | self.available

    @property
    def unwanted(self) -> list[Version]:
        """Versions that may go: available, and no longer wanted."""
        available = self.in_state(State.AVAILABLE)
        if self.wanted and not any(version.path in self.wanted for version in available):
            return []  # better an old version than none
        if not self.wanted and self.empty_polls < 2:
            return []  # a folder that is being replaced is empty for a moment
        return [version for version in available if version.path not in self.wanted]


def not_found(message: str, model: Model | None) -> StatusError:
    """TensorFlow Serving's words, and behind them why a model has no version at all."""
    if model is not None and model.why_none and not model.available:
        message += f"; {base_path.for_clients(model.why_none, model.config.base_path)}"
    return StatusError(Code.NOT_FOUND, message)
