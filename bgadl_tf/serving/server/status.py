"""Status codes: what gRPC, TensorFlow and TensorFlow Serving call alike, and their HTTP forms."""

from __future__ import annotations

import enum
import re
from pathlib import Path

import tensorflow as tf


class Code(enum.IntEnum):
    """Canonical status codes; gRPC's and TensorFlow's numbers."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


_HTTP = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}

_ABSOLUTE_PATH = re.compile(r"(?:file://|(?<![\w/.]))/(?:[^\s/'\":;,]+/)+([^\s/'\":;,]*)")
_LONGEST_MESSAGE = 4096


class StatusError(Exception):
    """A request, or a load, that did not succeed.

    Args:
        code: Why.
        message: For the client; holds no path of the host.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def http_status(self) -> int:
        """The HTTP status TensorFlow Serving answers this code with."""
        return _HTTP.get(self.code, 500)


def invalid_argument(message: str) -> StatusError:
    """A ``StatusError`` of the commonest kind."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def not_implemented(method: str) -> StatusError:
    """The answer to what this server leaves to TensorFlow Serving."""
    return StatusError(
        Code.UNIMPLEMENTED,
        f"{method} is not implemented by this embedded server; tensorflow/serving answers it",
    )


def from_exception(error: BaseException) -> StatusError:
    """The status that a client gets for any exception."""
    if isinstance(error, StatusError):
        return StatusError(error.code, _shortened(error.message))
    if isinstance(error, tf.errors.OpError):
        return StatusError(Code(error.error_code), without_paths(error.message))
    if isinstance(error, MemoryError):
        return StatusError(Code.RESOURCE_EXHAUSTED, "out of memory")
    return StatusError(Code.INTERNAL, without_paths(f"{type(error).__name__}: {error}"))


def load_failure(error: Exception, folder: Path) -> StatusError:
    """Why a version cannot be loaded, for clients.

    The folder's place on the host is no business of theirs. It may hold blanks, so a pattern would
    not find its end.
    """
    message = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
    message = message.replace(str(folder), folder.name)
    return StatusError(from_exception(error).code, without_paths(message))


def without_paths(message: str) -> str:
    """The message with absolute paths cut down to their last part, and of bearable length."""
    return _shortened(_ABSOLUTE_PATH.sub(r"\1", message))


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + " …"
