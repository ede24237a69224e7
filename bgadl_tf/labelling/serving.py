"""The page on a port, until its person or the machine ends it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.labelling.guard import LOOPBACK_NAMES, Guard, is_loopback
from bgadl_tf.serving.server.listening import in_url
from bgadl_tf.serving.server.listening import listen as listening_on

BACKLOG = 512
GRACE_SECONDS = 2
"""That requests have to end."""


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Args:
        listening: Its socket.
        guard: Who may talk to it there.
        url: To be opened.
    """

    listening: socket.socket
    guard: Guard
    url: str


@contextlib.contextmanager
def listen(host: str, port: int) -> Iterator[Address]:
    """Take a port; who connects waits until the page is there.

    Args:
        host: Address of this machine. One that others can reach gets a token.
        port: 0 for a free one.

    Raises:
        ConfigError: It cannot be had.
    """
    if not 0 <= port < 2**16:
        raise ConfigError(f"--port is {port}; expected 0 to {2**16 - 1}")
    try:
        listening = listening_on(host, port, BACKLOG)
    except ConfigError as error:
        raise ConfigError(
            f"cannot listen on --host {host} --port {port}: {error}; give another --port, or "
            "--port 0 for a free one"
        ) from None
    with listening:
        given = listening.getsockname()[1]
        if is_loopback(host):
            guard = Guard(LOOPBACK_NAMES | {host.lower()})
            yield Address(listening, guard, f"http://{in_url(host)}:{given}/")
            return
        token = secrets.token_urlsafe(24)
        # Browsers keep cookies by host alone: two pages on one machine need two names.
        guard = Guard(None, token, f"bgadl_token_{given}")
        url = f"http://{in_url(_reachable(host))}:{given}/?token={token}"
        yield Address(listening, guard, url)


@contextlib.contextmanager
def serving(app: ASGIApp, listening: socket.socket) -> Iterator[threading.Event]:
    """Serve in a thread: uvicorn's own signal handlers would wait for training.

    Yields:
        Set when it has ended by itself.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server, ended = uvicorn.Server(config), threading.Event()

    def serve() -> None:
        try:
            server.run([listening])
        finally:
            ended.set()

    thread = threading.Thread(target=serve, name="page", daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        server.should_exit = True
        thread.join(2 * GRACE_SECONDS)


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM is as SIGINT: before the page is there, too, and in a container's first process."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def until_signalled(ended: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set ``ended``; a second one ends the process at once."""

    def end(number: int, _: object) -> None:
        if ended.is_set():
            os._exit(128 + number)
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reachable(host: str) -> str:
    """An address that others can open, of a host that stands for all of them."""
    if host not in ("0.0.0.0", "::", ""):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
