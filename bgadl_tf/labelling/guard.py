"""Who may talk to the page: this machine's browsers, or who was given the address with its token.

A page from elsewhere that is open in the same browser may not, whatever name it gives this machine.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered.

    Args:
        status: Of HTTP.
        reason: For whoever sent it.
    """

    status: int
    reason: str


@dataclass(frozen=True)
class Guard:
    """Looks at requests before anything else does.

    Args:
        hosts: Names under which it may be addressed; None for any, where a token is required.
        token: What a browser has to bring; None where none is required.
        cookie: What it brings the token in.
    """

    hosts: frozenset[str] | None
    token: str | None = None
    cookie: str = "bgadl_token"

    def refusal(self, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is refused by its headers, whose names are in lower case; None if not."""
        host = headers.get("host", "")
        name = _name_in(host)
        if name is None or (self.hosts is not None and name not in self.hosts):
            return Refusal(403, f"this page is not called {host[:80]!r}; open the printed address")
        origin = headers.get("origin")
        if origin is not None and not _is_of(origin, host):
            return Refusal(403, f"requests from {origin[:80]!r} are not answered")
        if self.token is not None and not self.is_token(_cookies(headers).get(self.cookie, "")):
            return Refusal(401, "open the address that 'bgadl label' has printed, with its token")
        return None

    def is_token(self, given: str) -> bool:
        """Whether this is the token."""
        expected = self.token or ""
        return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"),
                                                      expected.encode())  # fmt: skip


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach this address."""
    try:
        return host in LOOPBACK_NAMES or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name_in(host: str) -> str | None:
    """The name in a Host header, without the port; None if it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


def _is_of(origin: str, host: str) -> bool:
    scheme, separator, netloc = origin.partition("://")
    return bool(separator) and scheme in ("http", "https") and netloc.lower() == host.lower()


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in headers.get("cookie", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
