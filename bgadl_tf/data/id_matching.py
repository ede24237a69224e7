"""Ids as people write them: paths of another machine, base names, names without a suffix."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

from bgadl_tf.core.types import Id

T = TypeVar("T")

_SUFFIX = re.compile(r"(?<=[^/])\.[A-Za-z][A-Za-z0-9]{0,4}$")


class How(Enum):
    """How a text and an id were found to be the same; worded to follow 'matched'."""

    EXACT = "exactly"
    SPELLING = "but for spelling"
    PATH = "as a path that ends in the id"
    NAME = "by the end of the path"
    STEM = "without the suffix"


class Match(NamedTuple):
    """An id, and how it was found."""

    id: Id
    how: How


class Ids:
    """Finds the known id that a text means, and never guesses between two.

    In this order: the very id; the id but for blanks around it, backslashes, a leading ``./``,
    the composition of characters and percent-encoding; the same in another case; a path that ends
    in the id; the end of an id, such as a base name, that only one id has; the same without
    suffixes. Folders that contradict each other are not the same image: ``dog/1.png`` is not
    ``cat/1.png``.

    Args:
        known: Ids that there are; of a mapping, by the ids that they have today: several that are
            one today can be meant by what they have in common.
    """

    def __init__(self, known: Iterable[Id] | Mapping[Id, Id]) -> None:
        self._known = {**known} if isinstance(known, Mapping) else {id_: id_ for id_ in known}

    def match(self, text: str) -> Id | None:
        """The id that is meant, or None where there is none or more than one."""
        found = self.find(text)
        return None if found is None else found.id

    def find(self, text: str) -> Match | None:
        """The id that is meant, and how it was found; None as in ``match``."""
        if text in self._known:
            return Match(text, How.EXACT)
        plain, decoded = _plain(text), _decoded(text)
        if not plain:
            return None
        steps: tuple[tuple[How, Callable[[], set[Id]]], ...] = (
            (How.SPELLING, lambda: set(self._by_plain.get(plain, ()))),
            (How.SPELLING, lambda: set(self._by_decoded.get(decoded, ()))),
            (How.SPELLING, lambda: set(self._by_folded.get(_folded(decoded), ()))),
            (How.PATH, lambda: self._ending(decoded)),
            (How.NAME, lambda: self._ended(decoded, self._by_name)),
            (How.STEM, lambda: self._ended(decoded, self._by_stem)),
            (How.STEM, lambda: self._ended(_stem(decoded), self._by_stem)),
        )
        for how, candidates in steps:
            found = candidates()
            if len(found) > 1:
                found = {self._known[id_] for id_ in found}
            if found:
                return Match(found.pop(), how) if len(found) == 1 else None
        return None

    def _ending(self, text: str) -> set[Id]:
        """Ids in which a path ends."""
        parts = text.split("/")
        ends = ("/".join(parts[first:]) for first in range(1, len(parts)))
        return {id_ for end in ends for id_ in self._by_decoded.get(end, ())}

    @staticmethod
    def _ended(text: str, index: Mapping[str, list[tuple[str, Id]]]) -> set[Id]:
        """Ids that end in ``text``."""
        alike = index.get(text.rpartition("/")[2], ())
        return {id_ for path, id_ in alike if f"/{path}".endswith(f"/{text}")}

    @cached_property
    def _by_plain(self) -> Mapping[str, list[Id]]:
        return _grouped((_plain(id_), id_) for id_ in self._known)

    @cached_property
    def _by_decoded(self) -> Mapping[str, list[Id]]:
        return _grouped((_decoded(id_), id_) for id_ in self._known)

    @cached_property
    def _by_folded(self) -> Mapping[str, list[Id]]:
        return _grouped((_folded(_decoded(id_)), id_) for id_ in self._known)

    @cached_property
    def _by_name(self) -> Mapping[str, list[tuple[str, Id]]]:
        paths = ((_decoded(id_), id_) for id_ in self._known)
        return _grouped((path.rpartition("/")[2], (path, id_)) for path, id_ in paths)

    @cached_property
    def _by_stem(self) -> Mapping[str, list[tuple[str, Id]]]:
        paths = ((_stem(_decoded(id_)), id_) for id_ in self._known)
        return _grouped((path.rpartition("/")[2], (path, id_)) for path, id_ in paths)


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _plain(text: str) -> str:
    path = unicodedata.normalize("NFC", text.strip().replace("\\", "/"))
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


def _decoded(text: str) -> str:
    return _plain(unquote(_plain(text)))


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


def _stem(path: str) -> str:
    return _SUFFIX.sub("", path)
