"""Values of a file by their shape, with errors that name the key, what it is and what it could be.

``where`` is the key's path, e.g. ``arms.bgadl.seeds``.

Raises:
    ConfigError: A value is of another shape than expected.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import yaml_reader


@contextlib.contextmanager
def located(file: Path) -> Iterator[None]:
    """Puts the file, and the line that it is about, before the message of every ``ConfigError``."""
    try:
        yield
    except ConfigError as error:
        line = yaml_reader.line_of(file, error.keys)
        place = f"{file}, line {line}" if line is not None else f"{file}"
        raise ConfigError(f"{place}: {error}") from None


@contextlib.contextmanager
def at(*keys: str) -> Iterator[None]:
    """Says of every ``ConfigError`` that does not, where in the file it may stand."""
    try:
        yield
    except ConfigError as error:
        error.keys = error.keys or keys
        raise


def about(message: str, *keys: str) -> ConfigError:
    """What to raise, and where in the file it may stand."""
    error = ConfigError(message)
    error.keys = keys
    return error


def wrong(key: str, problem: str) -> ConfigError:
    """What to raise about a key: ``problem`` is the message without the key."""
    return about(f"{key} {problem}", key)


def integers(given: object, where: str) -> tuple[int, ...]:
    """``given``, if it is a list of integers."""
    if not isinstance(given, list) or any(type(seed) is not int for seed in given):
        raise wrong(where, f"is {given!r}; expected a list of integers, e.g. [0, 1, 2]")
    return tuple(given)


def texts(given: object, where: str) -> list[str]:
    """``given``, if it is a list of texts."""
    if not isinstance(given, list) or any(not isinstance(item, str) for item in given):
        raise wrong(where, f"is {given!r}; expected a list of texts, e.g. [bgadl, random]")
    return given


def mapping(given: object, where: str, expected: str) -> dict[str, Any]:
    """``given``, if it is a mapping from texts; nothing is an empty one."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise wrong(where, f"is {given!r}; expected {expected}")
    for key in given:
        if not isinstance(key, str):
            raise wrong(where, f"has the key {key!r}; expected a text, so put it in quotes")
    return given


def unknown_key(key: str, where: str, known: Collection[str]) -> ConfigError:
    """What to raise for a key that is none of ``known``."""
    close = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return about(f"unknown key {where}{key}{hint}; known: {', '.join(known)}", f"{where}{key}")
