"""What a search varies: settings and options, each a list of values or a range of numbers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bgadl_tf.runs import file_settings
from bgadl_tf.runs import file_values as values
from bgadl_tf.runs.config import SINGULAR, RunConfig, scalar_type

PROTOCOL = (
    "dataset", "data_dir", "labels", "new_classes", "max_unreadable", "part", "classes",
    "test_dataset", "imbalance", "imbalance_ratio", "repeated", "label_noise", "label_noise_rate",
    "rounds", "query_size", "initial_size", "seed", *file_settings.PARTS,
)  # fmt: skip
"""Settings that all trials share: with others, their scores say nothing of each other."""

OPTIONS = "options."
"""How names of options begin."""

_RANGE = ("min", "max", "log", "step")
_MOST = 10_000
_DIGITS = 6  # What is left of a number that another process is told (float32).


@dataclass(frozen=True)
class Choice:
    """One of a few values.

    Attributes:
        name: A setting, or ``options.NAME``.
        values: As RunConfig takes them, of options as they are read; two at least.
    """

    name: str
    values: tuple[Any, ...]

    def typed(self, kind: type) -> Choice:
        """With values of an option's type.

        Raises:
            ConfigError: One cannot be.
        """
        return dataclasses.replace(self, values=tuple(self._of(kind, v) for v in self.values))

    def _of(self, kind: type, value: object) -> object:
        if kind is float and type(value) is int:
            return float(value)
        if kind in (bool, int, float) and type(value) is not kind:
            where = f"space.{self.name}"
            raise values.wrong(where, f"has {value!r}; expected values of type {kind.__name__}")
        return value


@dataclass(frozen=True)
class Range:
    """Any number between two.

    Attributes:
        name: A setting, or ``options.NAME``.
        low: The least.
        high: The largest, and above ``low``.
        log: Equal ratios are equally likely, and not equal differences.
        whole: Integers alone.
    """

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def typed(self, kind: type) -> Range:
        """Of an option's type.

        Raises:
            ConfigError: It is none of numbers, or the ends are not of it.
        """
        where = f"space.{self.name}"
        if kind not in (int, float):
            raise values.wrong(where, f"is a range, but no number is expected; {_LIST}")
        if kind is int and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise values.wrong(where, f"is from {self.low} to {self.high}; expected integers")
        return dataclasses.replace(self, whole=kind is int)

    def rounded(self, value: float) -> float:
        """The number that a search has proposed, as every process knows it."""
        if self.whole:
            return int(value)
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)


Dimension = Choice | Range

_LIST = "give a list of values, e.g. [standard, none]"


def space_of(given: object) -> tuple[Dimension, ...]:
    """The ``space`` of a tuning file; options have the types that the file gives them.

    Raises:
        ConfigError: A key is unknown, of the protocol, or no list or range of what it can be.
    """
    wanted = "a mapping of settings to lists of values, or to ranges such as {min: 1, max: 8}"
    mapping = values.mapping(given, "space", wanted)
    known = [key for key in file_settings.FIELDS if key not in PROTOCOL and key not in SINGULAR]
    found: list[Dimension] = []
    for key, value in mapping.items():
        if key == "options":
            options = values.mapping(value, "space.options", wanted)
            found += [_dimension(f"{OPTIONS}{name}", one, None) for name, one in options.items()]
            continue
        if key in PROTOCOL:
            reason = "is of the protocol, which all trials share; put it under 'settings'"
            raise values.wrong(f"space.{key}", reason)
        file_settings.refuse_unknown(key, "space.", (*known, "options"))
        found.append(_dimension(key, value, scalar_type(RunConfig, key)))
    if not found:
        raise values.wrong("space", "is empty; say what is to be varied, e.g. steps: [200, 400]")
    return tuple(found)


def _dimension(name: str, given: object, kind: type | None) -> Dimension:
    where = f"space.{name}"
    if isinstance(given, list):
        if kind is not None:
            parent, _, key = where.rpartition(".")
            given = [file_settings.value_of(key, value, parent) for value in given]
        elif any(not isinstance(value, str | int | float) for value in given):
            raise values.wrong(where, f"is {given!r}; expected numbers, texts, or true and false")
        return _choice(name, given)
    if not isinstance(given, dict):
        raise values.wrong(
            where, f"is {given!r}; expected a list of values, or a range such as {{min: 1, max: 8}}"
        )
    return _range(name, values.mapping(given, where, "a range"), kind)


def _choice(name: str, given: list[Any]) -> Choice:
    if len(given) < 2 or any(given.count(value) > 1 for value in given):
        raise values.wrong(f"space.{name}", f"is {given!r}; expected two or more different values")
    return Choice(name, tuple(given))


def _range(name: str, given: Mapping[str, Any], kind: type | None) -> Dimension:
    where = f"space.{name}"
    for key in given:
        file_settings.refuse_unknown(key, f"{where}.", _RANGE)
    for key in ("min", "max", "step"):
        value = given.get(key)
        if type(value) not in (int, float) and (key != "step" or value is not None):
            hint = "; YAML reads 1e-3 as a text, 1.0e-3 as a number" * isinstance(value, str)
            raise values.wrong(f"{where}.{key}", f"is {value!r}; expected a number{hint}")
    low, high, step = given["min"], given["max"], given.get("step")
    log = given.get("log", False)
    if type(log) is not bool:
        raise values.wrong(f"{where}.log", f"is {log!r}; expected true or false")
    if not (low < high and math.isfinite(high - low)):
        raise values.wrong(where, f"is from {low} to {high}; expected min below max")
    if log and low <= 0:
        raise values.wrong(f"{where}.min", f"is {low}; with log it must be above 0")
    found = Range(name, low, high, log)
    found = found if kind is None else found.typed(kind)
    if step is None:
        return found
    if step <= (1 if log else 0):
        least = "a factor above 1, as log is true" if log else "a number above 0"
        raise values.wrong(f"{where}.step", f"is {step}; expected {least}")
    return _choice(name, _steps(found, step, kind))


def _steps(of: Range, step: float, kind: type | None) -> list[Any]:
    """The numbers of a range that are ``step`` apart; with ``log``, a factor of it."""
    count = math.log(of.high / of.low, step) if of.log else (of.high - of.low) / step
    if count >= _MOST:
        where = f"space.{of.name}.step"
        raise values.wrong(where, f"is {step}, which makes more than {_MOST} values; widen it")
    places = range(int(count + 1e-9) + 1)
    numbers = [of.low * step**place if of.log else of.low + step * place for place in places]
    all_whole = all(float(number).is_integer() for number in numbers)
    if kind is int and not all_whole:
        where = f"space.{of.name}.step"
        raise values.wrong(where, f"is {step}, which makes {numbers[:3]}…; expected integers")
    if kind is int or (kind is None and all_whole and type(of.low) is int):
        return [int(number) for number in numbers]
    return [float(f"{number:.{_DIGITS}g}") for number in numbers]


def size(space: tuple[Dimension, ...]) -> int:
    """How many combinations of values there are.

    Raises:
        ConfigError: One is a range, which has any number of them.
    """
    for dimension in space:
        if isinstance(dimension, Range):
            raise values.wrong(
                f"space.{dimension.name}",
                "has no step, which a grid needs; give one, or a list of values",
            )
    return math.prod(len(dimension.values) for dimension in space if isinstance(dimension, Choice))


def ends(dimension: Dimension) -> tuple[Any, ...]:
    """Values that stand for all of a dimension when it is looked whether they can be."""
    if isinstance(dimension, Choice):
        return dimension.values
    return (dimension.rounded(dimension.low), dimension.rounded(dimension.high))


def split(found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values by name, as settings and as options."""
    options = {n.removeprefix(OPTIONS): v for n, v in found.items() if n.startswith(OPTIONS)}
    return {n: v for n, v in found.items() if not n.startswith(OPTIONS)}, options


def refuse_steps(space: tuple[Dimension, ...]) -> None:
    """Hyperband gives a trial more steps the longer it lasts: nothing else may.

    Raises:
        ConfigError: The space has ``steps``.
    """
    if any(dimension.name == "steps" for dimension in space):
        raise values.wrong("space.steps", "is the budget of Hyperband; put it under 'settings'")
