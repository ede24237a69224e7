"""What a tab sends, read with distrust."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from starlette.requests import Request

from bgadl_tf.core.types import Id, Json, Label
from bgadl_tf.labelling.session import Who

MOST_BYTES = 2**16
"""Of a request; the longest that a tab sends is far shorter."""

NAME_LENGTH, ID_LENGTH = 60, 4096

_TAB = re.compile(r"[A-Za-z0-9_-]{8,64}")


class BadRequestError(Exception):
    """A request that no tab sends.

    Args:
        status: Of HTTP.
        message: What was got and what was expected.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Sent:
    """The fields of a request.

    Args:
        fields: The JSON object.
    """

    fields: Json

    @property
    def tab(self) -> Who:
        """Which tab, whoever it is."""
        tab = self.fields.get("tab")
        if not isinstance(tab, str) or not _TAB.fullmatch(tab):
            raise BadRequestError(400, f"tab is {_short(tab)}; expected 8 to 64 letters and digits")
        return Who(tab)

    @property
    def visitor(self) -> Who:
        """The tab, and who labels in it if they have said so."""
        return self.who if self.fields.get("name") else self.tab

    @property
    def who(self) -> Who:
        """The tab, and who labels in it."""
        return Who(self.tab.tab, self._text("name", NAME_LENGTH))

    @property
    def new_class(self) -> str:
        """Name of a class."""
        return self._text("class", NAME_LENGTH)

    @property
    def id(self) -> Id:
        """Which image."""
        value = self.fields.get("id")
        if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH:
            raise BadRequestError(400, f"id is {_short(value)}; expected the id of an image")
        return value

    @property
    def label(self) -> Label | None:
        """Index of a class; None to skip."""
        value = self.fields.get("label", "")
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadRequestError(
                400, f"label is {_short(value)}; expected the index of a class, or null"
            )
        return value

    def _text(self, name: str, longest: int) -> str:
        value = self.fields.get(name)
        text = value.strip() if isinstance(value, str) else ""
        if not 0 < len(text) <= longest or not text.isprintable():
            raise BadRequestError(
                400, f"{name} is {_short(value)}; expected 1 to {longest} printable characters"
            )
        return text


async def read(request: Request) -> Sent:
    """The fields of a request.

    Raises:
        BadRequestError: It is not JSON, no object, or too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadRequestError(415, f"Content-Type is {kind[:40]!r}; expected application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadRequestError(413, f"the body is longer than {MOST_BYTES} bytes")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequestError(400, f"the body is {body[:40]!r}; expected JSON") from None
    if not isinstance(fields, dict):
        raise BadRequestError(400, f"the body is {_short(fields)}; expected a JSON object")
    return Sent(fields)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
