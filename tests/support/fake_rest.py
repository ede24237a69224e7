"""The fake model over REST."""

from __future__ import annotations

import base64
import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np

from tests.support.fake_model import SIGNATURES, FakeModel, FaultError, Spec
from tests.support.http_server import answering

HTTP = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429, "UNAVAILABLE": 503, "INTERNAL": 500,
}  # fmt: skip
PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(/metadata|:predict)?")
DTYPES = {"DT_UINT8": np.uint8, "DT_INT64": np.int64, "DT_FLOAT": np.float32, "DT_STRING": object}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece; in two it would take 40 ms
    model: FakeModel

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body: Any) -> None:
        try:
            status, content = 200, self.result(body)
        except FaultError as fault:
            if fault.code == "RESET":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
                return
            if fault.code == "SLOW":
                time.sleep(0.3)
            status = HTTP.get(fault.code, 503)
            content = {"error": fault.message}
        data = json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True  # the client has given up

    def result(self, body: Any) -> Any:
        found = PATH.fullmatch(self.path)
        if found is None:
            raise FaultError("INVALID_ARGUMENT", f"Malformed request: {self.path}")
        name, number, label, what = found.groups()
        version = None if number is None else int(number)
        if what is None:
            return {
                "model_version_status": [
                    {"version": str(v), "state": state, "status": {"error_code": "OK"}}
                    for v, state in self.model.statuses(name).items()
                ]
            }
        version = self.model.find(name, version, label)
        if what == "/metadata":
            return described(self.model, name, version)
        signature = body["signature_name"]
        takes, gives = SIGNATURES[signature]
        inputs = {key: decoded(values, takes[key]) for key, values in body["inputs"].items()}
        outputs = self.model.predict(name, version, signature, inputs)
        columns = {key: encoded(values) for key, values in outputs.items()}
        return {"outputs": columns if len(gives) > 1 else next(iter(columns.values()))}

    def log_message(self, *_: object) -> None:
        pass


def described(model: FakeModel, name: str, version: int) -> Any:
    def entries(tensors: dict[str, Spec]) -> Any:
        return {
            key: {
                "dtype": dtype,
                "tensor_shape": {"dim": [{"size": str(s)} for s in shape], "unknown_rank": False},
            }
            for key, (dtype, shape) in tensors.items()
        }

    definitions = {
        key: {"inputs": entries(takes), "outputs": entries(gives)}
        for key, (takes, gives) in model.signatures.items()
    }
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": definitions}},
    }


def decoded(values: list[Any], spec: Spec) -> np.ndarray:
    values = [base64.b64decode(v["b64"]) if isinstance(v, dict) else v for v in values]
    return np.array(values, dtype=DTYPES[spec[0]])


def encoded(values: np.ndarray) -> Any:
    return [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]


@contextmanager
def rest_server(model: FakeModel, port: int = 0) -> Iterator[str]:
    """Serves until the block ends; yields the address."""
    handler = type("Bound", (Handler,), {"model": model})
    with answering(handler, port) as address:
        yield address
