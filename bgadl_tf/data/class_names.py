"""Names of classes as people and spreadsheets write them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal

from bgadl_tf.core.types import Label

SHOWN = 20
"""Names that a message lists at most."""

_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?|[+-]?[0-9]{1,3}(\.[0-9]{3}){2,}")


def index_of(text: str, names: Sequence[str]) -> Label | None:
    """Which class is meant.

    By its name, as ``index_of_name``; and only where no name is a number, by an index.

    Args:
        text: As somebody wrote it.
        names: Of the classes.

    Returns:
        The index, or None where nothing fits.

    Raises:
        ValueError: Two names fit equally well.
    """
    found = index_of_name(text, names)
    if found is None and not has_numbers(names):
        # Beside names that are numbers an index would be ambiguous: '1' of ('1', '2') is index 0.
        values = _numbers(text)
        return next((index for index in range(len(names)) if Decimal(index) in values), None)
    return found


def index_of_name(text: str, names: Sequence[str]) -> Label | None:
    """Which class is named.

    In this order: the very name; the name but for blanks around it and the composition of its
    characters; where names are numbers, the same number (``1``, ``1.0`` and ``1,0`` are one); the
    name in another case.

    Args:
        text: As somebody wrote it.
        names: Of the classes.

    Returns:
        The index, or None where nothing fits.

    Raises:
        ValueError: Two names fit equally well.
    """
    if text in names:
        return names.index(text)
    values = _numbers(text)
    fits: tuple[Callable[[str], bool], ...] = (
        lambda name: _plain(name) == _plain(text),
        lambda name: bool(values & _numbers(name)),
        lambda name: _folded(name) == _folded(text),
    )
    for fit in fits:
        found = [index for index, name in enumerate(names) if fit(name)]
        if len(found) > 1:
            several = " or ".join(repr(names[index]) for index in found)
            raise ValueError(f"{text!r} could be {several}; write it exactly as one of them")
        if found:
            return found[0]
    return None


def has_numbers(names: Sequence[str]) -> bool:
    """Whether any name looks like a number, so that indices are not understood."""
    return any(_numbers(name) for name in names)


def allowed(names: Sequence[str]) -> str:
    """What ``index_of`` understands, for a message."""
    parts = [*names[:SHOWN]]
    if len(names) > SHOWN:
        parts.append(f"{len(names) - SHOWN} more")
    if names and not has_numbers(names):
        parts.append(f"an index from 0 to {len(names) - 1}")
    return ", ".join(parts)


def resembling(text: str, names: Sequence[str]) -> str | None:
    """The name that ``text`` probably misspells; None where none is close, or it is a number."""
    if _numbers(text):
        return None
    by_folded = {_folded(name): name for name in names}
    close = difflib.get_close_matches(_folded(text), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", _plain(text).casefold())


def _numbers(text: str) -> set[Decimal]:
    """What ``text`` may mean as a number: two for ``1,000``, none for a word."""
    plain = _plain(text).replace("\N{MINUS SIGN}", "-")
    values = set()
    if _NUMBER.fullmatch(plain):
        values.add(Decimal(plain.replace(",", ".")))
    if _THOUSANDS.fullmatch(plain):
        comma = "," in plain
        values.add(Decimal(plain.replace("," if comma else ".", "")))
    return values
