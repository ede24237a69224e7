"""The embedded server as a process of its own: free ports, started, waited for, ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import grpc
import requests
from google.protobuf import text_format
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from tests.support.repository import REPOSITORY

PATIENCE = 60.0
"""Seconds to wait for what takes one; the machine may be busy."""


@dataclass
class ServerProcess:
    """A server that runs.

    Attributes:
        process: It.
        log_file: What it prints.
        rest: Address of REST, ``http://host:port``.
        grpc_address: Of gRPC, ``host:port``.
    """

    process: subprocess.Popen[bytes]
    log_file: Path
    rest: str
    grpc_address: str
    http: requests.Session = field(default_factory=requests.Session)

    @cached_property
    def channel(self) -> grpc.Channel:
        """A channel to gRPC, without limits on the length of messages."""
        lengths = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
        return grpc.insecure_channel(self.grpc_address, [(name, -1) for name in lengths])

    @cached_property
    def prediction(self) -> Any:
        """Stub of ``PredictionService``."""
        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    @cached_property
    def models(self) -> Any:
        """Stub of ``ModelService``."""
        return model_service_pb2_grpc.ModelServiceStub(self.channel)

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.log_file.read_text(errors="replace")

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a path below ``/v1``, such as ``/models/x``."""
        return self.http.get(f"{self.rest}/v1{path}", timeout=PATIENCE, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        """POST to a path below ``/v1``; ``body`` as JSON, NaN too, ``data=`` as it is."""
        if body is not None:
            options["data"] = json.dumps(body)
        return self.http.post(f"{self.rest}/v1{path}", timeout=PATIENCE, **options)

    def ask(self, model: str, body: Any, method: str = "predict") -> Any:
        """The JSON answer of a model, such as ``half`` or ``half/versions/1``; must succeed."""
        response = self.post(f"/models/{model}:{method}", body)
        assert response.status_code == 200, response.text
        return response.json()

    def states(self, model: str) -> dict[int, str]:
        """State of every version of a model; empty while there is none."""
        response = self.get(f"/models/{model}")
        if response.status_code == 404:
            return {}
        assert response.status_code == 200, response.text
        versions = response.json()["model_version_status"]
        return {int(version["version"]): version["state"] for version in versions}

    def wait(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """The value of ``condition`` once it is true; fails if the server ends before."""
        return wait(condition, self.process, self.log_file, seconds)

    def wait_for(self, model: str, *versions: int, seconds: float = PATIENCE) -> None:
        """Wait until exactly these versions of a model are available."""

        def available() -> bool:
            states = self.states(model)
            return sorted(n for n in states if states[n] == "AVAILABLE") == sorted(versions)

        self.wait(available, seconds)

    def stop(self) -> int:
        """End it the polite way; its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    folder: Path, *flags: str, rest: bool = True, seconds: float = PATIENCE
) -> Iterator[ServerProcess]:
    """A server on free ports of the loopback, which answers: its models are loaded, or have failed.

    Args:
        folder: For its log; made if missing.
        flags: Of the command line, but for the ports.
        rest: Whether it answers REST; gRPC it does always.
        seconds: To wait until its models are loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log_file = folder / "server.log"
    http, rpc = free_ports(2)
    command = [sys.executable, "-m", "bgadl_tf.serving", f"--port={rpc}", *flags]
    if rest:
        command.append(f"--rest_api_port={http}")
    with ExitStack() as stack:
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
            )
        stack.callback(_end, process)
        session = stack.enter_context(requests.Session())
        server = ServerProcess(
            process, log_file, f"http://127.0.0.1:{http}", f"127.0.0.1:{rpc}", session
        )
        for port in [rpc, http] if rest else [rpc]:
            server.wait(lambda port=port: listens(port), seconds)
        stack.callback(lambda: server.__dict__.get("channel") and server.channel.close())
        yield server


def write_config(
    path: Path, models: Mapping[str, Path | str], text: Mapping[str, str] | None = None
) -> Path:
    """Write a model_config_file.

    Args:
        path: Of the file.
        models: Name -> base path.
        text: Name -> more fields of its ``ModelConfig``, as text.
    """
    config = model_server_config_pb2.ModelServerConfig()
    for name, base in models.items():
        model = config.model_config_list.config.add(
            name=name, base_path=str(base), model_platform="tensorflow"
        )
        text_format.Merge((text or {}).get(name, ""), model)
    partial = path.with_suffix(".partial")
    partial.write_text(text_format.MessageToString(config))
    return partial.replace(path)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def listens(port: int) -> bool:
    """Whether something listens on a port of the loopback."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait(
    condition: Callable[[], Any],
    process: subprocess.Popen[bytes],
    log_file: Path,
    seconds: float = PATIENCE,
) -> Any:
    """The value of ``condition`` once it is true; fails if the process ends before."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        log = log_file.read_text(errors="replace")
        assert process.poll() is None, f"the server ended with {process.returncode}:\n{log}"
        assert time.monotonic() < deadline, f"not within {seconds} s; the server's log:\n{log}"
        time.sleep(0.05)
    return value


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
