"""Command lines as argparse reads them, which takes ``-1,1`` for a flag and not for a value."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Any

_FLAG = re.compile(r"--\w[\w-]*")
_NUMBERS = re.compile(r"-\.?\d.*,.*")


def joined(arguments: Sequence[str]) -> list[str]:
    """``--pixel-range -1,1`` as ``--pixel-range=-1,1``; all else as it is."""
    found: list[str] = []
    for argument in arguments:
        if found and _FLAG.fullmatch(found[-1]) and _NUMBERS.fullmatch(argument):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def number_or(kind: Callable[[str], Any], words: Sequence[str]) -> Callable[[str], Any]:
    """For argparse: a number, or one of a few words."""

    def read(text: str) -> Any:
        if text in words:
            return text
        try:
            return kind(text)
        except ValueError:
            raise ArgumentTypeError(
                f"it is {text!r}; expected a number or {' or '.join(words)}"
            ) from None

    return read if words else kind
