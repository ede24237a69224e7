"""REST: TensorFlow Serving's paths, forms and status codes."""

from __future__ import annotations

import asyncio
import functools
import re
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import request_response

from bgadl_tf.serving.server import json_request, json_response
from bgadl_tf.serving.server.models import Models, Spec
from bgadl_tf.serving.server.status import (
    Code,
    StatusError,
    from_exception,
    invalid_argument,
    not_implemented,
)

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_METHOD = re.compile(rf"{_MODEL}:(classify|regress|predict)", re.IGNORECASE)
_RESOURCE = re.compile(rf"(?:{_MODEL}|/v1/models)(/metadata)?", re.IGNORECASE)
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


class Limits(NamedTuple):
    """What a request may take.

    Attributes:
        body_bytes: Of the body, also after unzipping.
        seconds: To arrive and, counted anew, to be answered.
        threads: That run requests.
    """

    body_bytes: int = 256 * 2**20
    seconds: float = 30.0
    threads: int = 8

    @property
    def milliseconds(self) -> int:
        """To be answered, for TensorFlow."""
        return max(1, int(self.seconds * 1000))


class Rest:
    """The application.

    Args:
        models: What is served.
        limits: What a request may take.
        metrics_path: Where metrics are to be had; None for nowhere.
        cors: Let pages of other origins call.
    """

    def __init__(
        self,
        models: Models,
        limits: Limits | None = None,
        metrics_path: str | None = None,
        cors: bool = False,
    ) -> None:
        self._models, self._limits = models, limits or Limits()
        self._headers = _CORS if cors else {}
        self._pool = ThreadPoolExecutor(self._limits.threads, "rest")
        self._metrics_path = metrics_path
        # Starlette's own routes do not match every path, and answer the others in their own form.
        self.app = request_response(self._respond)

    def close(self) -> None:
        """End the threads once their requests are answered."""
        self._pool.shutdown()

    async def _respond(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD") and request.scope["path"] == self._metrics_path:
            return PlainTextResponse(self._models.metrics.page())
        status, headers = 200, dict(self._headers)
        try:
            body = await self._answer(request)
        except ClientDisconnect:
            return Response(status_code=499)
        except _HttpError as error:
            if error.unread:
                # The rest of the body is not read, so the connection is of no further use.
                headers["Connection"] = "close"
            status, body = error.status, json_response.error(str(error))
        except Exception as error:
            failure = from_exception(error)
            status, body = failure.http_status, json_response.error(failure.message)
        return Response(body, status, headers, "application/json")

    async def _answer(self, request: Request) -> bytes:
        path = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        if not path.lower().startswith("/v1/"):
            raise _HttpError(404, f"Not found: {path}")
        if self._headers and request.method == "OPTIONS":
            return b""
        if request.method == "POST" and (match := _METHOD.fullmatch(path)):
            name, version, label, method = match.groups()
            if method.lower() != "predict":
                raise not_implemented(method.lower())
            work = functools.partial(
                self._predict, _spec(name, version, label), await self._body(request)
            )
        elif request.method == "GET" and (match := _RESOURCE.fullmatch(path)):
            name, version, label, metadata = match.groups()
            work = functools.partial(
                self._metadata if metadata else self._status, _spec(name or "", version, label)
            )
        else:
            raise invalid_argument(f"Malformed request: {request.method} {path}")
        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], bytes]) -> bytes:
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.wait_for(running, self._limits.seconds)
        except TimeoutError:
            raise StatusError(
                Code.DEADLINE_EXCEEDED, f"no answer within {self._limits.seconds:g} s"
            ) from None

    async def _body(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await _read(request, self._limits.body_bytes)
        except TimeoutError:
            raise _HttpError(
                408, f"the body did not arrive within {self._limits.seconds:g} s", unread=True
            ) from None

    # Run in a thread

    def _predict(self, spec: Spec, body: bytes) -> bytes:
        with self._models.measured(spec, "REST"):
            request = json_request.parse(body)
            _, outputs = self._models.predict(
                spec,
                request.signature_name,
                functools.partial(json_request.inputs, request),
                timeout_ms=self._limits.milliseconds,
            )
            if request.row:
                return json_response.predictions(outputs)
            return json_response.columns(outputs)

    def _status(self, spec: Spec) -> bytes:
        return json_response.status(self._models.manager.status(*spec))

    def _metadata(self, spec: Spec) -> bytes:
        if not spec.name:
            raise invalid_argument("Missing model name in request.")
        return json_response.metadata(self._models.metadata(spec))


class _HttpError(Exception):
    """What HTTP has a status for, and gRPC no code.

    Args:
        status: Of the answer.
        message: For the client.
        unread: Whether some of the body has not been read.
    """

    def __init__(self, status: int, message: str, unread: bool = False) -> None:
        super().__init__(message)
        self.status, self.unread = status, unread


def _spec(name: str, version: str | None, label: str | None) -> Spec:
    number = None
    if version is not None:
        digits = version.lstrip("0") or "0"
        if len(digits) > 19 or int(digits) >= 2**63:
            raise invalid_argument(f"Failed to convert version: {version[:40]} to numeric.")
        number = int(digits)
    return Spec(unquote(name), number, None if label is None else unquote(label))


async def _read(request: Request, limit: int) -> bytes:
    """The body, unzipped if it says that it is zipped.

    Raises:
        _HttpError: It is longer than ``limit``.
        StatusError: It is not what it says.
    """
    too_long = _HttpError(
        413, f"the body is longer than {limit} bytes; send fewer images at a time", unread=True
    )
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_long
    zipped = request.headers.get("content-encoding", "identity").lower()
    if zipped not in ("identity", "gzip"):
        raise StatusError(Code.UNIMPLEMENTED, f"Content-Encoding {zipped[:40]!r} is not supported")
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if zipped == "gzip" else None
    parts: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        if inflate is not None:
            try:
                chunk = inflate.decompress(chunk, limit + 1 - length)
            except zlib.error:
                raise invalid_argument(
                    "the body is not gzip, as its Content-Encoding says"
                ) from None
        length += len(chunk)
        if length > limit:
            raise too_long
        parts.append(chunk)
    if inflate is not None and not inflate.eof:
        raise invalid_argument("the gzip body is cut short")
    return b"".join(parts)
