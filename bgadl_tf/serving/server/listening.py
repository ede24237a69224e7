"""A port of this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket

from bgadl_tf.core.errors import ConfigError


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Take a port; who connects waits until somebody serves it.

    Args:
        host: Address of this machine.
        port: 0 for a free one.
        backlog: How many may wait.

    Raises:
        ConfigError: It cannot be had; the message says why, in a few words.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=backlog)
    except (OSError, UnicodeError) as error:  # the latter of a name that cannot be one
        raise ConfigError(_why(error)) from None
    # asyncio does this for sockets of its own making only. Without it an answer's body waits 40 ms
    # for the acknowledgement of its header.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def in_url(host: str) -> str:
    """A host as it stands in an address."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == 6:
            return f"[{host}]"
    return host


def _why(error: OSError | UnicodeError) -> str:
    """``create_server`` itself uses many words."""
    code = error.errno if isinstance(error, OSError) else None
    return os.strerror(code) if code and code > 0 else getattr(error, "strerror", "") or str(error)
