"""``--option``: settings of learners and acquisitions, typed by the dataclass that they are of."""

from __future__ import annotations

import dataclasses
import difflib
import math
from typing import Any

from bgadl_tf.acquisition.acquisition import ACQUISITIONS, Acquisition
from bgadl_tf.core.errors import ConfigError, UnknownNameError
from bgadl_tf.core.types import Json
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.runs.config import scalar_type


class Options:
    """The options of a run: ``NAME=VALUE``, or ``OWNER.NAME=VALUE`` for that one alone.

    The long form lets arms with different learners share one command line: options of those that
    a run does not use are left out. A learner and an acquisition may have the same name: the long
    form then is for the one that has such a setting, or for both.

    Args:
        options: As they were given.
        learner: Registered name.
        acquisition: Registered name, perhaps with those that it wraps.

    Raises:
        ConfigError: An owner or a name is unknown, or a name could be of two owners.
    """

    def __init__(self, options: tuple[str, ...], learner: str, acquisition: str) -> None:
        self._learner: tuple[str, type[Any]] = (learner, LEARNERS.get(learner).options_type)
        self._acquisitions = {name: ACQUISITIONS.get(name) for name in acquisition.split(":")}
        self._owners = [self._learner, *self._acquisitions.items()]
        self._given: dict[type[Any], list[str]] = {kind: [] for _, kind in self._owners}
        for option in options:
            name, _, value = option.partition("=")
            owner, dot, short = name.rpartition(".")
            if not dot:
                self._given[self._only_owner_of(name)].append(option)
            elif called := [kind for other, kind in self._owners if other == owner]:
                for kind in [kind for kind in called if short in _settable(kind)] or called[:1]:
                    self._given[kind].append(f"{short}={value}")
            elif owner not in (known := {*LEARNERS.names(), *ACQUISITIONS.names()}):
                raise UnknownNameError(
                    f"--option {name}: no learner or acquisition is called {owner!r}; known: "
                    f"{', '.join(sorted(known))}"
                )

    def of_learner(self) -> dict[str, Any]:
        """Values of the learner's options."""
        return self._parsed(*self._learner)

    def of_acquisition(self, name: str, owner: type[Any]) -> dict[str, Any]:
        """Values of the options of one acquisition of the chain."""
        return self._parsed(name, owner)

    def kind_of(self, name: str) -> type:
        """Type of an option of this run, ``NAME`` or ``OWNER.NAME``.

        Raises:
            ConfigError: Neither its learner nor its acquisition has it, or both have.
        """
        owner, dot, short = name.rpartition(".")
        if not dot:
            return scalar_type(self._only_owner_of(name), name)
        for other, kind in self._owners:
            if other == owner and short in _settable(kind):
                return scalar_type(kind, short)
        raise self._unknown(name)

    def describe(self, acquisition: Acquisition) -> Json:
        """Every option of an acquisition and of those it wraps, by name, for ``config.json``."""
        found: Json = {}
        current: Any = acquisition
        for name in self._acquisitions:
            values = {f: getattr(current, f) for f in _settable(type(current))}
            if values:
                found[name] = values
            current = getattr(current, "inner", None)
        return found

    def _only_owner_of(self, name: str) -> type[Any]:
        owners = [(owner, kind) for owner, kind in self._owners if name in _settable(kind)]
        if len(owners) > 1:
            names = [owner for owner, _ in owners]
            raise ConfigError(
                f"--option {name!r} is a setting of {' and of '.join(names)}; write "
                f"{names[0]}.{name}=VALUE"
            )
        if not owners:
            raise self._unknown(name)
        return owners[0][1]

    def _unknown(self, name: str) -> ConfigError:
        known = "; ".join(
            f"of {owner}: {', '.join(_settable(kind)) or 'none'}" for owner, kind in self._owners
        )
        prefix = "." in name
        every = [
            f"{owner}.{option}" if prefix else option
            for owner, kind in self._owners
            for option in _settable(kind)
        ]
        close = difflib.get_close_matches(name, every, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return ConfigError(f"--option {name!r} is not a setting of this run{hint}; known {known}")

    def _parsed(self, name: str, owner: type[Any]) -> dict[str, Any]:
        return parse(owner, self._given[owner], name)


def parse(owner: type[Any], options: list[str], what: str) -> dict[str, Any]:
    """``["kl_weight=0.5"]`` -> ``{"kl_weight": 0.5}``, typed by the dataclass ``owner``.

    Args:
        owner: Dataclass whose fields are the possible options.
        options: ``NAME=VALUE`` strings.
        what: Whose options they are, for messages.

    Raises:
        ConfigError: A name is unknown or a value has the wrong type.
    """
    names = _settable(owner)
    values: dict[str, Any] = {}
    for option in options:
        name, _, text = option.partition("=")
        if name not in names:
            known = ", ".join(names) or "none"
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ConfigError(
                f"--option {name!r} is not a setting of {what!r}{hint}; known: {known}"
            )
        kind = scalar_type(owner, name)
        try:
            values[name] = _parse_bool(text) if kind is bool else kind(text)
        except ValueError:
            raise ConfigError(f"--option {name} is {text!r}; expected a {kind.__name__}") from None
        if kind is float and not math.isfinite(values[name]):
            raise ConfigError(f"--option {name} is {text!r}; expected a finite number")
    return values


def _settable(owner: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(owner) if field.name != "inner"]


def _parse_bool(text: str) -> bool:
    if text.lower() in ("true", "1", "yes"):
        return True
    if text.lower() in ("false", "0", "no"):
        return False
    raise ValueError(text)
