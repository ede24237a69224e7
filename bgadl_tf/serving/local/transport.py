"""TF-Serving's calls, answered by a SavedModel in this process. Importing it imports TensorFlow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from bgadl_tf.core.errors import RejectedError, ServerError
from bgadl_tf.serving.client.address import Address
from bgadl_tf.serving.client.signature_defs import signatures_of
from bgadl_tf.serving.client.transport import (
    AVAILABLE,
    Description,
    Inputs,
    Names,
    Signature,
    Tensors,
    Transport,
    VersionStatus,
    first_line,
)
from bgadl_tf.serving.server import inference
from bgadl_tf.serving.server.inference import Servable
from bgadl_tf.serving.server.savedmodel import SavedModel


class NoAddress(Address):
    """For what is not asked over a wire."""

    def __str__(self) -> str:
        return self.target


class LocalTransport(Transport):
    """Answers from one SavedModel, which is in memory from then on: its folder may vanish.

    Args:
        folder: With ``saved_model.pb``.
        model: Name of the model.
        version: Its number; there is no other.
    """

    def __init__(self, folder: Path, model: str, version: int = 1) -> None:
        super().__init__(NoAddress(False, "this machine", False), model, 0.0)
        self._version = version
        saved = SavedModel(folder)
        self._servable = Servable(saved.signatures, saved, saved.close)
        self._signatures = signatures_of(saved.signatures)
        self._changed = threading.Condition()
        self._running, self._closed = 0, False

    def status(self) -> tuple[VersionStatus, ...]:
        return (VersionStatus(self._version, AVAILABLE, ""),)

    def describe(self, *, version: int | None = None, label: str | None = None) -> Description:
        return Description(self._version, self._signatures)

    def predict(
        self, version: int, name: str, signature: Signature, inputs: Inputs, outputs: Names
    ) -> Tensors:
        with self._one_more():
            try:
                return inference.predict(self._servable, name, inputs, outputs or ())
            except tf.errors.InvalidArgumentError as error:
                raise RejectedError(
                    f"the model refuses the request: {first_line(str(error))}"
                ) from error
            except tf.errors.ResourceExhaustedError as error:
                raise ServerError(
                    f"the memory does not suffice ({first_line(str(error))}): give a smaller "
                    "--batch-size"
                ) from error
            except tf.errors.OpError as error:
                raise ServerError(f"the model fails: {first_line(str(error))}") from error

    def close(self) -> None:
        """Frees the model, after what is being answered: it cannot be freed under a request."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._running == 0)
        self._servable.close()

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        with self._changed:
            if self._closed:
                raise ServerError(f"model {self.model!r} is closed")
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
