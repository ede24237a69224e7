"""Whatever is sent, the server answers as documented, lives, and answers the next request right.

``pytest -m slow tests/fuzz -s`` goes on for ``BGADL_FUZZ_SECONDS`` (600) and prints what it saw.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import hypothesis
import pytest
from google.protobuf import text_format
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2

from tests.support import grpc_messages, http_requests
from tests.support.repository import REPOSITORY
from tests.support.saved_models import echo, half_plus
from tests.support.server_process import ServerProcess, serving, write_config

SECONDS = float(os.environ.get("BGADL_FUZZ_SECONDS", "600"))
HTTP_STATUSES = {200, 400, 404, 405, 408, 413, 415, 429, 501, 503, 504}
GRPC_CODES = {
    "OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "RESOURCE_EXHAUSTED", "UNAVAILABLE",
}  # fmt: skip
MOST_GROWTH = 400 * 2**20
"""Of memory; a leak of a kilobyte a request would be found in the long form."""


class Target:
    """The server under fire, and what it has answered."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.seen: Counter[str] = Counter()
        self.host, _, port = server.rest.removeprefix("http://").partition(":")
        self.port = int(port)
        self.http = http.client.HTTPConnection(self.host, self.port, timeout=30)
        self.channel = server.channel

    def send(self, sent: http_requests.Sent) -> None:
        """One HTTP request; its answer is as documented."""
        try:
            answer, body = self._exchange(sent)
        except ConnectionError:
            # It may close a connection that was idle, but not a new one.
            answer, body = self._exchange(sent)
        self.seen[f"HTTP {answer.status}"] += 1
        assert answer.status in HTTP_STATUSES, (answer.status, body[:500])
        self.hides_the_host(body.decode())
        if sent.method in ("HEAD", "OPTIONS") or sent.path.startswith("/monitoring"):
            return
        assert (answer.getheader("Content-Type") or "").startswith("application/json"), body
        message = json.loads(body)
        assert isinstance(message, dict)
        if answer.status != 200:
            assert [*message] == ["error"], message
            assert isinstance(message["error"], str)
            assert message["error"]

    def _exchange(self, sent: http_requests.Sent) -> tuple[http.client.HTTPResponse, bytes]:
        try:
            self.http.request(*sent[:2], sent.body, sent.headers)
            answer = self.http.getresponse()
            return answer, answer.read()
        except BaseException:
            self.http.close()
            raise

    def call(self, call: grpc_messages.Call) -> None:
        """One gRPC call; its answer is as documented."""
        code, details = "OK", ""
        try:
            self.channel.unary_unary(call.method)(call.request, timeout=30)
        except grpc.RpcError as error:
            code, details = error.code().name, error.details() or ""  # type: ignore[attr-defined]
        self.seen[f"gRPC {code}"] += 1
        self.hides_the_host(details)
        # gRPC's own answer to what is not protobuf.
        assert code in GRPC_CODES or details == "Exception deserializing request!", (code, details)

    def reload(self, request: Any) -> None:
        """A new configuration, and then the old one."""
        code, details = "OK", ""
        try:
            self.server.models.HandleReloadConfigRequest(request, timeout=30)
        except grpc.RpcError as error:
            code, details = error.code().name, error.details() or ""  # type: ignore[attr-defined]
        self.seen[f"reload {code}"] += 1
        allowed = {"OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION"}
        assert code in allowed or "did not become available" in details, (code, details)
        sound = grpc_messages.RELOAD_REQUEST()
        text_format.Parse((self.folder / "models.config").read_text(), sound.config)
        with contextlib.suppress(grpc.RpcError):  # one of the models is broken
            self.server.models.HandleReloadConfigRequest(sound, timeout=30)
        self.is_well()

    @property
    def memory(self) -> int:
        """Bytes the server's process has in memory."""
        pages = Path(f"/proc/{self.server.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def hides_the_host(self, text: str) -> None:
        """No word of the host's folders or of our source."""
        for secret in (str(self.folder), str(REPOSITORY), "site-packages", "Traceback"):
            assert secret not in text, text[:1000]

    def is_well(self) -> None:
        """Alive, and right."""
        assert self.server.process.poll() is None, self.server.log[-3000:]
        assert self.server.ask("half", {"instances": [1.0, 4.0]}) == {"predictions": [2.5, 4.0]}
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "half"
        request.inputs["x"].dtype = 1
        request.inputs["x"].float_val.append(3.0)
        answer = self.server.prediction.Predict(request, timeout=30)
        assert [*answer.outputs["y"].float_val] == [3.5]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzzed")
    half_plus(2, folder / "half" / "1")
    echo(folder / "echo" / "1")
    (folder / "broken" / "1").mkdir(parents=True)
    write_config(
        folder / "models.config", {name: folder / name for name in ("half", "echo", "broken")}
    )
    (folder / "monitoring.config").write_text("prometheus_config { enable: true }")
    with serving(
        folder,
        f"--model_config_file={folder}/models.config",
        f"--monitoring_config_file={folder}/monitoring.config",
        "--rest_api_timeout_in_ms=5000",
        "--rest_api_max_body_bytes=1000000",
        "--max_num_load_retries=0",
    ) as server:
        target = Target(server, folder)
        yield target
        target.http.close()


def bombard(
    target: Target, strategy: st.SearchStrategy[Any], send: Callable[[Any], None], seconds: float
) -> None:
    """Send what the strategy thinks of for so long."""
    until, begun = time.monotonic() + seconds, os.getpid() if seconds > 60 else 0
    rounds, failed = 0, False
    while time.monotonic() < until:

        @hypothesis.seed(begun + rounds)
        @hypothesis.settings(
            max_examples=250 if seconds > 20 else 60,
            database=None,
            deadline=None,
            suppress_health_check=[*hypothesis.HealthCheck],
        )
        @hypothesis.given(strategy)
        def one_round(sent: Any) -> None:
            nonlocal failed
            if time.monotonic() < until or failed:
                failed = True
                send(sent)
                failed = False

        one_round()
        rounds += 1
        target.is_well()


def bombard_all(target: Target, seconds: float) -> None:
    target.is_well()
    bombard(target, http_requests.sent(), target.send, seconds * 0.5)
    bombard(target, grpc_messages.calls(), target.call, seconds * 0.4)
    bombard(target, grpc_messages.reloads, target.reload, seconds * 0.1)


def test_a_short_bombardment(target: Target) -> None:
    bombard_all(target, 6)
    assert target.seen["HTTP 200"] > 5
    assert target.seen["gRPC OK"] > 5
    assert target.seen["reload OK"] + target.seen["reload UNKNOWN"] > 0


def test_what_is_not_http(target: Target) -> None:
    for junk in (b"\0" * 100, b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
                 b"POST /v1/models/half:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
                 b"\x16\x03\x01\x02\x00\x01"):  # fmt: skip
        with socket.create_connection((target.host, target.port), 10) as connection:
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                answer = connection.recv(1000)
                assert not answer or answer.startswith(b"HTTP/1.1 4"), answer
    target.is_well()


@pytest.mark.slow
def test_a_long_bombardment(target: Target) -> None:
    bombard_all(target, min(60.0, SECONDS / 10))  # buffers and caches find their size
    before = target.memory
    bombard_all(target, SECONDS)
    growth = target.memory - before
    print(f"\n{sum(target.seen.values())} requests, memory grew by {growth / 2**20:.0f} MiB")
    print("\n".join(f"{count:9d} {status}" for status, count in target.seen.most_common()))
    assert growth < MOST_GROWTH
