"""TF-Serving's REST protocol. Images travel as base64 of their files, never as JSON numbers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any
from urllib.parse import quote

import numpy as np
import requests
from numpy.typing import NDArray

from bgadl_tf.core.errors import BusyError, NotServedError, RejectedError, ServerError
from bgadl_tf.serving.client.address import Address
from bgadl_tf.serving.client.transport import (
    DTYPES,
    Description,
    Inputs,
    Names,
    Signature,
    Tensors,
    TensorSpec,
    Transport,
    VersionStatus,
    first_line,
)

REJECTED = frozenset({400, 413, 422})
BUSY = frozenset({429, 499, 502, 503, 504})


class RestTransport(Transport):
    """Calls over HTTP; connections are kept open and may be used by several threads.

    Args:
        address: Where to.
        model: Name of the model.
        timeout: Seconds a call may last.
        connections: Connections to keep open.
    """

    def __init__(self, address: Address, model: str, timeout: float, connections: int) -> None:
        super().__init__(address, model, timeout)
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def status(self) -> tuple[VersionStatus, ...]:
        answer = self._call("GET", self._path())
        try:
            return tuple(
                VersionStatus(
                    int(entry["version"]),
                    str(entry["state"]),
                    str(entry.get("status", {}).get("error_message", "")),
                )
                for entry in answer["model_version_status"]
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._nonsense(answer) from error

    def describe(self, *, version: int | None = None, label: str | None = None) -> Description:
        answer = self._call("GET", f"{self._path(version, label)}/metadata")
        try:
            number = answer["model_spec"].get("version")
            definitions = answer["metadata"]["signature_def"]["signature_def"]
            return Description(
                None if number in (None, "") else int(number),
                {
                    name: Signature(
                        _specs(definition.get("inputs", {})), _specs(definition.get("outputs", {}))
                    )
                    for name, definition in definitions.items()
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._nonsense(answer) from error

    def predict(
        self, version: int, name: str, signature: Signature, inputs: Inputs, outputs: Names
    ) -> Tensors:
        body = {
            "signature_name": name,
            "inputs": {key: _to_json(values.tolist()) for key, values in inputs.items()},
        }
        answer = self._call("POST", f"{self._path(version)}:predict", body)
        try:
            values = answer["outputs"]
            # A signature's only output comes without its name.
            named = {next(iter(signature.outputs)): values}
            if len(signature.outputs) > 1:
                named = values
            wanted = signature.outputs if outputs is None else outputs
            return {key: _to_array(named[key], signature.outputs[key]) for key in wanted}
        except (KeyError, TypeError, ValueError) as error:
            raise self._nonsense(answer) from error

    def close(self) -> None:
        self._session.close()

    def _path(self, version: int | None = None, label: str | None = None) -> str:
        path = f"/v1/models/{quote(self.model, safe='')}"
        if version is not None:
            return f"{path}/versions/{version}"
        return path if label is None else f"{path}/labels/{quote(label, safe='')}"

    def _call(self, method: str, path: str, body: object = None) -> Any:
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        try:
            # A redirected POST would arrive as a GET.
            response = self._session.request(
                method,
                self.address.target + path,
                data=content,
                headers={"Content-Type": "application/json"} if content else None,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise ServerError(f"{self.address}: TLS fails: {_reason(error)}") from error
        except requests.Timeout as error:
            raise BusyError(f"{self.address} did not answer within {self.timeout:g} s") from error
        except (
            requests.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            cause = _cause(error)
            if isinstance(cause, BadStatusLine) and not isinstance(cause, RemoteDisconnected):
                raise ServerError(
                    f"{self.address} does not speak HTTP; if it is the gRPC port of a model "
                    f"server, write grpc://{self.address.target.partition('://')[2]}"
                ) from error
            raise BusyError(f"cannot reach {self.address}: {_reason(error)}") from error
        except requests.RequestException as error:
            raise ServerError(f"cannot ask {self.address}: {_reason(error)}") from error
        if response.status_code != 200:
            raise self._failure(response)
        try:
            return response.json()
        except ValueError as error:
            raise self._nonsense(_described(response)) from error

    def _failure(self, response: requests.Response) -> ServerError:
        kinds = {404: NotServedError, **dict.fromkeys(BUSY, BusyError)}
        kinds |= dict.fromkeys(REJECTED, RejectedError)
        kind = kinds.get(response.status_code, ServerError)
        try:
            message = first_line(str(response.json()["error"]))
        except (ValueError, KeyError, TypeError):
            # TF-Serving always says why; a proxy before it may answer that it is busy.
            message = _described(response)
            if kind is NotServedError:
                return self._nonsense(f"{message} (HTTP 404)")
        return self.failure(kind, f"{message} (HTTP {response.status_code})")

    def _nonsense(self, answer: object) -> ServerError:
        return ServerError(
            f"{self.address} does not answer as TF-Serving does: {first_line(str(answer))}; is it "
            "the address of a model server?"
        )


def _described(response: requests.Response) -> str:
    """An answer that is not TF-Serving's, in a line."""
    if location := response.headers.get("Location"):
        return f"a redirection to {location}"
    text = response.text
    if text.lstrip().startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return f"a web page, {first_line(title[1])!r}" if title else "a web page"
    return first_line(text or response.reason or "")


def _specs(entries: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {name: _spec(entry) for name, entry in entries.items()}


def _spec(entry: Mapping[str, Any]) -> TensorSpec:
    shape = entry.get("tensor_shape", {})
    sizes = [int(dimension["size"]) for dimension in shape.get("dim", [])]
    return TensorSpec(
        DTYPES.get(entry["dtype"]),
        None if shape.get("unknown_rank") else tuple(None if s < 0 else s for s in sizes),
    )


def _to_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_json(each) for each in value]
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return value


def _to_array(value: Any, spec: TensorSpec) -> NDArray[Any]:
    if spec.dtype == object:
        return np.array(_to_bytes(value), dtype=object)
    return np.asarray(value, dtype=spec.dtype)


def _to_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_bytes(each) for each in value]
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return str(value).encode()


def _reason(error: Exception) -> str:
    cause = _cause(error)
    return first_line(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__)


def _cause(error: BaseException) -> BaseException:
    """The innermost cause: urllib3 wraps it several times."""
    while (inner := _inner(error)) is not None:
        error = inner
    return error


def _inner(error: BaseException) -> BaseException | None:
    wrapped = [getattr(error, "reason", None), *error.args]
    if not isinstance(error, requests.RequestException):
        wrapped.append(error.__cause__)
    return next((inner for inner in wrapped if isinstance(inner, BaseException)), None)
