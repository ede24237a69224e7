"""Command lines as argparse reads them, which takes ``-1,1`` for a flag and not for a value."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
