"""Who is answered at all."""

from __future__ import annotations

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.labelling.guard import LOOPBACK_NAMES, Guard, is_loopback
from bgadl_tf.labelling.serving import listen

HERE = Guard(LOOPBACK_NAMES)
SHARED = Guard(None, "secret", "token")


def status(guard: Guard, **headers: str) -> int | None:
    refusal = guard.refusal(headers)
    return None if refusal is None else refusal.status


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost:1", "[::1]:8600", "LOCALHOST"])
def test_this_machine_is_answered(host: str) -> None:
    assert status(HERE, host=host) is None
    assert status(HERE, host=host, origin=f"http://{host}") is None


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "evil.example:8600", "127.0.0.1.evil.example", "localhost@evil.example",
        "evil.example@localhost", "localhost/evil", "localhost:x", "[::1", "localhost?", "10.0.0.1",
    ],
)  # fmt: skip
def test_another_name_of_this_machine_is_not(host: str) -> None:
    assert status(HERE, host=host) == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "", "http://localhost:3000", "http://localhost",
        "http://127.0.0.1:8600", "file://localhost:8600", "localhost:8600",
    ],
)  # fmt: skip
def test_a_page_from_elsewhere_is_not(origin: str) -> None:
    assert status(HERE, host="localhost:8600", origin=origin) == 403


def test_others_need_the_token() -> None:
    host = {"host": "10.0.0.7:8600"}
    assert status(SHARED, **host) == 401
    assert status(SHARED, **host, cookie="token=wrong") == 401
    assert status(SHARED, **host, cookie="token=") == 401
    assert status(SHARED, **host, cookie="other=secret; token=gehéim") == 401
    assert status(SHARED, **host, cookie='strange="; token=secret') is None
    assert status(SHARED, **host, cookie="a=b; token=secret", origin="http://10.0.0.7:8600") is None
    assert status(SHARED, **host, cookie="token=secret", origin="http://evil.example") == 403
    assert not HERE.is_token("")


def test_which_addresses_are_this_machine_alone() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "", "::", "10.0.0.1", "myhost")))


def test_an_address_that_others_reach_has_a_token() -> None:
    with listen("127.0.0.1", 0) as address:
        port = address.listening.getsockname()[1]
        assert address.url == f"http://127.0.0.1:{port}/"
        assert address.guard.token is None
        with pytest.raises(ConfigError, match=f"--port {port}: .*in use; give another --port"):
            listen("127.0.0.1", port).__enter__()
    with listen("0.0.0.0", 0) as address:
        assert address.guard.token is not None
        assert len(address.guard.token) >= 32
        assert address.url.endswith(f"/?token={address.guard.token}")
    with pytest.raises(ConfigError, match="cannot listen on --host no such host"):
        listen("no such host", 0).__enter__()
    for number in (70000, -1):
        with pytest.raises(ConfigError, match=f"--port is {number}; expected 0 to 65535"):
            listen("127.0.0.1", number).__enter__()
