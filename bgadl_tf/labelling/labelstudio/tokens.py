"""What Label Studio is shown to be let in: a token of either kind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from bgadl_tf.core.errors import ConfigError

VARIABLE = "LABEL_STUDIO_API_KEY"
"""The environment variable that holds the token."""

LIFETIME_SECONDS = 240.0
"""For how long an access token is used; Label Studio takes it for five minutes."""


def find(file: Path | None) -> str:
    """The token of a file or else of the environment; a command line would be seen by others.

    Args:
        file: Holds nothing else; None for the environment.

    Raises:
        ConfigError: There is none, or it is none.
    """
    if file is None:
        where, token = VARIABLE, os.environ.get(VARIABLE, "")
    else:
        where = str(file)
        try:
            token = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ConfigError(f"cannot read --token-file {file}: {why}") from error
    token = token.strip()
    if not token:
        raise ConfigError(
            f"{where} holds no token: put that of Label Studio (Account & Settings, Personal "
            f"Access Token) into the environment variable {VARIABLE}, or into a file for "
            "--token-file"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{where} holds no token of Label Studio: it is more than one word")
    return token


class Token:
    """A token, and the header that stands for it.

    A personal access token is a JSON web token, three parts between dots: it is exchanged for an
    access token, again and again. A legacy token is sent as it is.

    Args:
        text: The token.
        exchange: From a personal access token to an access token.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        text: str,
        exchange: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._text, self._exchange, self._clock = text, exchange, clock
        self.personal = text.count(".") == 2
        self._access, self._until = "", 0.0

    def header(self) -> str:
        """The header ``Authorization``; asks for a new access token when it is time."""
        if not self.personal:
            return f"Token {self._text}"
        if not self._access or self._clock() >= self._until:
            self._access = self._exchange(self._text)
            self._until = self._clock() + LIFETIME_SECONDS
        return f"Bearer {self._access}"

    def expire(self) -> bool:
        """Forget the access token; whether there was one, so that another try makes sense."""
        had = bool(self._access)
        self._access = ""
        return had
