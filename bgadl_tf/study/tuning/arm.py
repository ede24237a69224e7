"""What is tuned, and how its trials run: its learner, asking at random, on the development half."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.share import parse_share
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.methods import Method, resolve
from bgadl_tf.study.protocol import OUTSIDE
from bgadl_tf.study.tuning import space as spaces

DEVELOPMENT = "1/2"
"""Part of the dataset that trials use: on the other one what was found can be confirmed."""

ACQUISITION = "random"
"""How trials ask: what a learner is worth is then told apart from what it is asked about."""


@dataclass(frozen=True)
class Tuned:
    """A method or a learner, and its settings that do not vary.

    Attributes:
        config: As ``train`` would run it.
        method: What its names stand for.
        acquisition: How trials ask.
    """

    config: RunConfig
    method: Method
    acquisition: str

    @classmethod
    def of(cls, parts: Mapping[str, str], settings: Mapping[str, Any]) -> Self:
        """From what a tuning file names.

        Args:
            parts: ``method`` or ``learner``, and ``acquisition`` where trials do not ask at random.
            settings: Arguments of ``RunConfig``.

        Raises:
            ConfigError: It names neither, or both, or what is unknown, or settings that cannot be.
        """
        if "part" in settings and settings["part"] is not None:
            _share(settings["part"])
        if ("method" in parts) == ("learner" in parts):
            raise ConfigError("settings must name what is tuned: either method or learner")
        asked = parts.get("acquisition", ACQUISITION)
        if "learner" in parts:
            pair: dict[str, Any] = {"learner": parts["learner"], "acquisition": asked}
            return cls(RunConfig(**pair, **settings), resolve(None, **pair), asked)
        method = resolve(parts["method"], None, None)
        if method.whole_set and asked != method.acquisition:
            raise ConfigError(f"method {parts['method']!r} asks nothing; leave out acquisition")
        if parts.get("acquisition", method.acquisition) == method.acquisition:
            return cls(RunConfig(method=parts["method"], **settings), method, asked)
        # Another acquisition than the method's: a pair with the options that the method stands for.
        method = dataclasses.replace(method, acquisition=asked)
        options = (*_options(method), *settings.get("options", ()))
        config = RunConfig(**{**settings, "options": options})
        config = dataclasses.replace(config, learner=method.learner, acquisition=asked)
        return cls(config, method, asked)

    @property
    def part(self) -> str:
        """Of the dataset, that trials use."""
        return self.config.part or DEVELOPMENT

    @property
    def other_part(self) -> str | None:
        """Of the dataset, that no trial has seen; None where trials use all of it."""
        number, count = _share(self.part)
        return f"{number % count + 1}/{count}" if count > 1 else None

    def to_json(self) -> Json:
        """Every setting of a trial but for those that vary, and what it is for."""
        return {**self.config.to_json(), "part": self.part, "asks": self.acquisition}

    def best(self, found: Mapping[str, Any]) -> RunConfig:
        """As ``train`` is to run it with what was found: on all of the dataset.

        Raises:
            ConfigError: It cannot be.
        """
        settings, options = spaces.split(found)
        named = tuple(f"{name}={_said(value)}" for name, value in options.items())
        return dataclasses.replace(
            self.config, **settings, options=(*self.config.options, *named), part=None
        )

    def trial(self, found: Mapping[str, Any], share: float = 1.0) -> RunConfig:
        """As a trial runs it.

        Args:
            found: Values by the names of the space.
            share: Of the gradient steps.

        Raises:
            ConfigError: It cannot be.
        """
        best = self.best(found)
        config = dataclasses.replace(best, part=self.part, steps=max(1, round(best.steps * share)))
        if config.method is None or self.method.whole_set:
            return config
        return dataclasses.replace(
            config,
            method=None,
            learner=self.method.learner,
            acquisition=self.acquisition,
            options=(*_options(self.method), *config.options),
        )


def digest(config: RunConfig) -> str:
    """What tells runs of one trial from those of another: settings that differ from the defaults.

    A later version with further settings so finds what an earlier one has made.
    """
    default = RunConfig().to_json()
    settings = {
        key: value
        for key, value in config.to_json().items()
        if key not in OUTSIDE and value != default[key]
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]


def _options(method: Method) -> list[str]:
    return [f"{method.learner}.{name}={_said(value)}" for name, value in method.options.items()]


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _share(part: str) -> tuple[int, int]:
    return parse_share(part, "--part", "1/2 for the first half")
