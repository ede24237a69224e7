"""Where a model server is, and which of its two protocols is meant."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from bgadl_tf.core.errors import ConfigError

GRPC_PORT = 8500
_FORMS = "expected http://HOST:8501, https://HOST or grpc://HOST:8500 (grpcs:// for TLS)"


class Address(NamedTuple):
    """A parsed address.

    Attributes:
        rest: Whether it is REST; else gRPC.
        target: For REST the URL up to ``/v1``, without a slash at its end; for gRPC
            ``host:port``.
        secure: Whether the connection is encrypted.
    """

    rest: bool
    target: str
    secure: bool

    def __str__(self) -> str:
        if self.rest:
            return self.target
        return f"{'grpcs' if self.secure else 'grpc'}://{self.target}"


def parse_address(text: str) -> Address:
    """Parses an address. The scheme is never guessed: ``host:8500`` alone is refused.

    Args:
        text: ``http://`` or ``https://`` with an optional path (a proxy's prefix) and the usual
            default ports, or ``grpc://`` or ``grpcs://`` with port 8500 as default.

    Raises:
        ConfigError: It is none of these.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        guess = f": write http://{text.strip()} (REST) or grpc://{text.strip()} (gRPC)"
        raise ConfigError(f"server address {text!r} names no protocol{guess if text else ''}")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"server address {text!r}: {error}; {_FORMS}") from None
    scheme = scheme.lower()
    if scheme not in ("http", "https", "grpc", "grpcs") or not host:
        raise ConfigError(f"server address {text!r} is not understood; {_FORMS}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"a server address has no user, '?' or '#'; {_FORMS} (credentials of a proxy "
            "belong in ~/.netrc)"
        )
    path = parts.path.rstrip("/")
    if scheme.startswith("grpc"):
        if path:
            raise ConfigError(f"server address {text!r}: gRPC has no path {path!r}; {_FORMS}")
        name = f"[{host}]" if ":" in host else host
        return Address(False, f"{name}:{port or GRPC_PORT}", scheme == "grpcs")
    if path.lower().endswith("/v1") or "/v1/" in path.lower():
        raise ConfigError(
            f"server address {text!r}: leave out '/v1…'; the model is named apart from it"
        )
    return Address(True, f"{scheme}://{parts.netloc}{path}", scheme == "https")
