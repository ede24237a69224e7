"""What no sound client sends: its status, JSON, no path of the host, and a server that lives."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.repository import REPOSITORY
from tests.support.server_process import PATIENCE, ServerProcess

LIMIT = 100_000
PARSE = "JSON Parse error: "


@pytest.fixture(autouse=True)
def _still_answers(request: pytest.FixtureRequest) -> Iterator[None]:
    used = [name for name in ("served", "strict") if name in request.fixturenames]
    servers = {name: request.getfixturevalue(name) for name in used}
    logged = {name: len(server.log) for name, server in servers.items()}
    yield
    for name, server in servers.items():
        model, signature, answer = (
            ("half", "", {"outputs": [3.0]})
            if name == "served"
            else ("echo", "float32", {"outputs": [2.0]})
        )
        assert server.ask(model, {"signature_name": signature, "inputs": [2.0]}) == answer
        assert "Traceback" not in server.log[logged[name] :]


def deep(count: int, inside: str = "") -> bytes:
    return b'{"instances": ' + b"[" * count + inside.encode() + b"]" * count + b"}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", PARSE + "The document is empty"),
        (b" \n", PARSE + "The document is empty"),
        (b"instances = [1, 2]", PARSE + "Invalid value. at offset: 0"),
        (b'{"instances": [1, 2', PARSE + "Expecting ',' delimiter at offset: 19"),
        (b'{"instances": [1] ', PARSE + "Expecting ',' delimiter at offset: 18"),
        (b'{"instances": [1,]}', PARSE + "Invalid value. at offset: 17"),
        (b'{"instances": [1]} {}', PARSE + "Extra data at offset: 19"),
        (b'{"instances" [1]}', PARSE + "Expecting ':' delimiter at offset: 13"),
        (b"{'instances': [1]}", PARSE + "Expecting property name"),
        (b'{"inst', PARSE + "Unterminated string"),
        (b'{"inputs": "\\x"}', PARSE + "Invalid \\escape"),
        (b'{"inputs": "\\u12g4"}', PARSE + "Invalid \\uXXXX escape"),
        (b'{"inputs": "\\ud800"}', "is not of expected type: float"),
        (b'{"\\udfff": 1}', "Missing 'inputs' or 'instances' key"),
        (b'{"inputs": "a\nb"}', PARSE + "Invalid control character"),
        (b'{"inputs": "\xff"}', PARSE + "Invalid encoding in string. at offset: 12"),
        (b"\x00\x01\x02\xff", PARSE),
        (b"\xff\xfe{\x00}\x00", PARSE),
        (gzip.compress(b'{"inputs": 1}', mtime=0), PARSE),
        (b'{"inputs": 01}', PARSE),
        (b'{"inputs": +1}', PARSE),
        (b'{"inputs": .5}', PARSE),
        (b'{"inputs": nan}', PARSE),
        (b'{"inputs": 1e999}', PARSE + "Number too big to be stored in double. at offset: 11"),
        (b'{"inputs": ' + b"9" * 400 + b"}", "to float without loss of precision."),
        (b'{"inputs": ' + b"9" * 9_000 + b"}", PARSE + "Number too big to be stored in double."),
        (deep(100_000), PARSE + "Terminate parsing due to lists nested too deeply."),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, PARSE + "Terminate parsing"),
        (b"[" * 500_000, PARSE),
        (deep(200), "nested"),
        (deep(66, "1"), "nested"),
        (deep(900, '"x"'), "nested"),
        (b'{"inputs": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "Missing named input: x"),
        (b'{"signature_name": ' + b"[" * 300 + b"]" * 300 + b"}", "must be a string value"),
        (b"[" * 300 + b"]" * 300, "Is not object"),
        (b'"text"', "Is not object"),
        (b"null", "JSON Value: null Is not object"),
        (b"NaN", "JSON Value: NaN Is not object"),
        (json.dumps({"instances": [1] * 200_000 + ["a"]}).encode(), "Failed to process element"),
        (json.dumps({"instances": "a" * 200_000}).encode(), "Excepting 'instances'"),
        (json.dumps({"k" * 200_000: 1}).encode(), "Missing 'inputs' or 'instances' key"),
        (json.dumps({"signature_name": "s" * 200_000, "inputs": 1}).encode(), "Serving signature"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_json(served: ServerProcess, body: bytes, message: str) -> None:
    response = served.post("/models/half:predict", data=body)
    assert (response.status_code, message in response.json()["error"]) == (400, True), response.text
    assert len(response.content) < 10_000


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"inputs": 2}', b'\t{"inputs" :\r\n2}\n'])
def test_json_that_is_only_odd(served: ServerProcess, body: bytes) -> None:
    assert served.post("/models/half:predict", data=body).json() == {"outputs": 3.0}


def test_no_path_of_the_host_is_shown(served: ServerProcess, models: Any) -> None:
    answers = [served.get("/models/broken").text, served.get("/models/broken/metadata").text]
    bad = [("root", [-1]), ("image", [1, 2]), ("image", [[[["x"]]]]), ("slow", [[1, 2]])]
    answers += [
        served.post("/models/echo:predict", {"signature_name": name, "inputs": value}).text
        for name, value in bad
    ]
    for text in answers:
        for path in (models, REPOSITORY, REPOSITORY / ".venv"):
            assert str(path) not in text
        assert "site-packages" not in text


def long_body(length: int) -> bytes:
    return b'{"signature_name": "float32", "inputs": 1, "padding": "%s"}' % (b"a" * length)


def test_long_bodies(strict: ServerProcess) -> None:
    fitting = LIMIT - len(long_body(0))
    path, zipped = "/models/echo:predict", {"Content-Encoding": "gzip"}
    bodies: list[tuple[Any, dict[str, str]]] = [
        (long_body, {}),
        (lambda n: iter([long_body(n)[:50], long_body(n)[50:]]), {}),  # chunked
        (lambda n: gzip.compress(long_body(n)), zipped),
        (lambda n: iter([gzip.compress(long_body(n))]), zipped),
    ]
    for make, headers in bodies:
        response = strict.post(path, data=make(fitting), headers=headers)
        assert response.json() == {"outputs": 1.0}
        response = strict.post(path, data=make(fitting + 1), headers=headers)
        assert response.status_code == 413
        assert f"longer than {LIMIT} bytes" in response.json()["error"]


def test_a_small_body_that_unzips_to_a_huge_one(strict: ServerProcess) -> None:
    bomb = gzip.compress(b"[" * 50_000_000)
    start = time.monotonic()
    response = strict.post("/models/echo:predict", data=bomb, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 413
    assert len(bomb) < LIMIT
    assert time.monotonic() - start < PATIENCE / 2


@pytest.mark.parametrize(
    ("data", "encoding", "status", "message"),
    [
        (b'{"inputs": 1}', "gzip", 400, "not gzip"),
        (gzip.compress(b'{"inputs": 1}', mtime=0)[:-9], "gzip", 400, "cut short"),
        (b"", "gzip", 400, "cut short"),
        (b'{"inputs": 1}', "br", 501, "'br' is not supported"),
    ],
)
def test_encodings(
    strict: ServerProcess, data: bytes, encoding: str, status: int, message: str
) -> None:
    response = strict.post(
        "/models/echo:predict", data=data, headers={"Content-Encoding": encoding}
    )
    assert (response.status_code, message in response.json()["error"]) == (status, True)


def raw(server: ServerProcess, *parts: bytes, shut: bool = False) -> bytes:
    """What a server answers to bytes; the connection then ends."""
    address = urlsplit(server.rest)
    received = b""
    with (
        contextlib.suppress(ConnectionResetError),
        socket.create_connection((address.hostname, address.port or 0), PATIENCE) as connection,
    ):
        for part in parts:
            connection.sendall(part)
        if shut:
            # Not connected any more: the server has answered and hung up already.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            received += piece
    return received


HEAD = b"POST /v1/models/echo:predict HTTP/1.1\r\nHost: x\r\n"


def test_bodies_that_do_not_arrive(strict: ServerProcess) -> None:
    start = time.monotonic()
    answer = raw(strict, HEAD + b"Content-Length: 50\r\n\r\n", b'{"inputs"')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error"' in answer
    assert 1.5 < time.monotonic() - start < PATIENCE / 2
    # A client that goes away is nobody to answer.
    raw(strict, HEAD + b"Content-Length: 50\r\n\r\n", b'{"inputs"', shut=True)


@pytest.mark.parametrize(
    "request_",
    [
        b"junk\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: ten\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/models/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/models/%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/models/" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bytes_that_are_no_request(served: ServerProcess, request_: bytes) -> None:
    answer = raw(served, request_, shut=True)
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"404", b"414", b"431")


def test_work_that_takes_too_long(strict: ServerProcess) -> None:
    body = {"signature_name": "slow", "inputs": [2**30]}
    response = strict.post("/models/echo:predict", body)
    assert response.status_code == 504
    assert response.json().keys() == {"error"}


def test_junk_of_any_kind(served: ServerProcess) -> None:
    """Bytes from a seed; all are refused in JSON."""
    seed = b'[{1.,"x]:}e-'
    for index in range(60):
        junk = bytes(seed[(index * 7 + step * step) % len(seed)] for step in range(index))
        response: requests.Response = served.post("/models/half:predict", data=junk)
        assert response.status_code == 400
        assert response.json().keys() == {"error"}
