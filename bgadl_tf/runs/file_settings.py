"""Settings of runs as files give them: known keys, values of their type, options merged.

``where`` is the path of the mapping that holds them, e.g. ``arms.bgadl``; empty for the whole file.

Raises:
    ConfigError: A key is unknown or belongs elsewhere, or a value is of another type.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import file_values as values
from bgadl_tf.runs.config import SINGULAR, RunConfig, flag, scalar_type

FIELDS = {field.name: field for field in dataclasses.fields(RunConfig)}
PARTS = ("method", "learner", "acquisition")
"""Settings that say which arm a run is of."""

NOT_HERE = {
    "seed": "list root seeds under 'seeds'",
    "out": "give --out on the command line",
    "jobs": "give --jobs on the command line",
    "data_dir": "it belongs to the machine: give --data-dir on the command line",
}
_KINDS = {str: "a text", int: "an integer", float: "a number", bool: "true or false"}


def settings_of(given: Mapping[str, Any], where: str, further: Collection[str]) -> dict[str, Any]:
    """Settings but for options and ``further`` keys, each of its type."""
    known = [key for key in FIELDS if key not in NOT_HERE and key not in PARTS]
    for key in given:
        refuse_unknown(key, path_of(where, ""), (*known, *further))
    return {
        key: value_of(key, value, where)
        for key, value in given.items()
        if key not in further and key != "options"
    }


def parts_of(given: Mapping[str, Any], where: str) -> dict[str, str]:
    """Method, or learner and acquisition, where they are given."""
    return {
        part: value_of(part, given[part], where) for part in PARTS if given.get(part) is not None
    }


def value_of(key: str, value: object, where: str) -> Any:
    """``value``, if a setting can have it; an integer may stand for a number."""
    if key in SINGULAR:
        return tuple(values.texts(value, path_of(where, key)))
    kind = scalar_type(RunConfig, key)
    words = FIELDS[key].metadata["words"]
    if isinstance(value, str) and value in words:
        return value
    if value is None and FIELDS[key].default is None:
        return None
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    hint = "; YAML reads 1e-3 as a text, 1.0e-3 as a number" if kind is float else ""
    raise values.wrong(
        path_of(where, key),
        f"is {value!r}; expected {' or '.join((_KINDS.get(kind, kind.__name__), *words))}{hint}",
    )


def options_of(sources: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Options of mappings of settings, by their paths; of equal names the last one counts."""
    options: dict[str, str] = {}
    for where, source in sources.items():
        for name, value in _named_options(source.get("options"), path_of(where, "options")):
            options.pop(name, None)
            options[name] = value
    return tuple(f"{name}={value}" for name, value in options.items())


def _named_options(given: object, where: str) -> list[tuple[str, str]]:
    if isinstance(given, list):
        pairs = [text.partition("=") for text in values.texts(given, where)]
        for name, equals, value in pairs:
            if not (name and equals):
                raise values.wrong(where, f"has {name + equals + value!r}; expected NAME=VALUE")
        return [(name, value) for name, _, value in pairs]
    options = values.mapping(given, where, "a mapping of names to values, or a list of NAME=VALUE")
    for name, value in options.items():
        if not isinstance(value, str | int | float):
            raise values.wrong(
                f"{where}.{name}", f"is {value!r}; expected a number, a text, or true or false"
            )
    return [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in options.items()
    ]


def refuse_unknown(key: str, where: str, known: Collection[str]) -> None:
    """Refuse a key that is none of ``known``, and say where it belongs if it is known elsewhere."""
    if key in known:
        return
    if key in NOT_HERE:
        raise values.wrong(f"{where}{key}", f"is no key of this file; {NOT_HERE[key]}")
    raise values.unknown_key(key, where, known)


def path_of(where: str, key: str) -> str:
    """Path of a key of the mapping at ``where``."""
    return f"{where}.{key}" if where else key


@contextlib.contextmanager
def flags_as_keys(where: str, *places: str) -> Iterator[None]:
    """Puts ``where`` before the message of every ``ConfigError``, and keys in the place of flags.

    Args:
        where: What it is about, as messages say it, e.g. an arm; empty for nothing.
        places: Paths of the mappings in which such a key may stand, the most likely first.
    """
    keys = {flag(field): field for field in FIELDS}
    try:
        yield
    except ConfigError as error:
        text = str(error)
        fields = [keys[name] for name in re.findall(r"--[a-z-]+", text) if name in keys]
        fields += [name for name in re.findall(r"^unknown (\w+) '", text) if name in FIELDS]
        options = re.findall(r"--option '?([\w.]+)", text)
        named = [f"options.{prefix}{name}" for prefix in ("", "*.") for name in options] + fields
        text = re.sub(r"--[a-z-]+", lambda found: keys.get(found[0], found[0]), text)
        raise values.about(
            f"{where}: {text}" if where else text,
            *error.keys,
            *(path_of(place, name) for name in named for place in places),
            *(places[:1] if where else ()),
        ) from None
