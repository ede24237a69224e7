"""What the two protocols have in common: the calls, and what they answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgadl_tf.core.errors import BusyError, NotServedError, RejectedError, ServerError
from bgadl_tf.serving.client.address import Address

Tensors = dict[str, NDArray[Any]]
"""Arrays by the names of a signature; strings are arrays of ``bytes`` of dtype object."""

Inputs = Mapping[str, NDArray[Any]]
Names = Sequence[str] | None
"""Of the outputs that are wanted; None for all."""

AVAILABLE = "AVAILABLE"
COMING = frozenset({"START", "LOADING"})
"""States of a version that will be available, if nothing goes wrong."""

DTYPES: Mapping[str, np.dtype[Any]] = {
    "DT_FLOAT": np.dtype(np.float32),
    "DT_DOUBLE": np.dtype(np.float64),
    "DT_INT8": np.dtype(np.int8),
    "DT_INT16": np.dtype(np.int16),
    "DT_INT32": np.dtype(np.int32),
    "DT_INT64": np.dtype(np.int64),
    "DT_UINT8": np.dtype(np.uint8),
    "DT_UINT16": np.dtype(np.uint16),
    "DT_UINT32": np.dtype(np.uint32),
    "DT_UINT64": np.dtype(np.uint64),
    "DT_BOOL": np.dtype(np.bool_),
    "DT_STRING": np.dtype(object),
}


class VersionStatus(NamedTuple):
    """How one version of a model is doing.

    Attributes:
        version: Its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: Why it could not be loaded; empty where nothing went wrong.
    """

    version: int
    state: str
    error: str


class TensorSpec(NamedTuple):
    """One tensor of a signature.

    Attributes:
        dtype: NumPy's type; object for strings, None for types that NumPy lacks.
        shape: Sizes, None where free; None as a whole where even the rank is free.
    """

    dtype: np.dtype[Any] | None
    shape: tuple[int | None, ...] | None


class Signature(NamedTuple):
    """Tensors that go in and come out, by name."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


class Description(NamedTuple):
    """What one version of a model offers.

    Attributes:
        version: The version that answered; None where the server does not say.
        signatures: By name.
    """

    version: int | None
    signatures: Mapping[str, Signature]


class Transport(ABC):
    """TF-Serving's calls for one model, each made once: no retries here.

    Every call raises ``BusyError``, ``RejectedError``, ``NotServedError`` or ``ServerError``
    itself.

    Args:
        address: Where to.
        model: Name of the model.
        timeout: Seconds a call may last.
    """

    def __init__(self, address: Address, model: str, timeout: float) -> None:
        self.address, self.model, self.timeout = address, model, timeout

    @abstractmethod
    def status(self) -> tuple[VersionStatus, ...]:
        """Every version the server knows of."""

    @abstractmethod
    def describe(self, *, version: int | None = None, label: str | None = None) -> Description:
        """Signatures of a version, or of the one that a label points at."""

    @abstractmethod
    def predict(
        self, version: int, name: str, signature: Signature, inputs: Inputs, outputs: Names
    ) -> Tensors:
        """One answer of the signature called ``name``; of all its outputs, or of those named."""

    @abstractmethod
    def close(self) -> None:
        """Closes connections."""

    def failure(self, kind: type[ServerError], message: str) -> ServerError:
        """An error of a kind, which says what the server said."""
        what = {
            BusyError: f"{self.address} cannot be reached or has no time",
            RejectedError: "the server refuses the request",
            NotServedError: f"not found at {self.address}",
        }.get(kind, f"{self.address} failed")
        return kind(f"{what}: {message}")


def first_line(text: str) -> str:
    """What fits into one line of a message, without TensorFlow's names of graph nodes."""
    line = " ".join(text.partition("[[{{")[0].split()) or " ".join(text.split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= 300 else line[:299] + "…"
