"""A search as a YAML file: what is to be tuned, on what, and what may vary.

::

    tuner: bayesian             # random, bayesian, hyperband or grid
    trials: 20                  # at most; of hyperband they follow from the next three
    max_epochs: 27              # hyperband's budget of a trial: this many are settings.steps
    factor: 3                   # of `factor` trials one goes on, with `factor` times the budget
    iterations: 1               # times that all of hyperband is gone through
    objective: aubc             # or accuracy, nll: of the last round
    seeds: [100, 101]           # root seeds of every trial's runs, from 100 on
    seed: 0                     # of the search itself
    settings:                   # of every trial, as in a study file
      method: bgadl-semi        # or learner; trials ask by `random` unless acquisition is given
      dataset: digits
      rounds: 3
    space:                      # settings and options that vary
      batch_size: [25, 50, 100]
      dropout: {min: 0.1, max: 0.6, step: 0.1}
      options:
        vaeacgan.learning_rate: {min: 1.0e-4, max: 1.0e-2, log: true}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgadl_tf.core.types import Json
from bgadl_tf.runs import file_settings, yaml_reader
from bgadl_tf.runs import file_values as values
from bgadl_tf.study.tuning import space as spaces
from bgadl_tf.study.tuning.arm import Tuned
from bgadl_tf.study.tuning.space import Dimension

TUNERS = ("random", "bayesian", "hyperband", "grid")
OBJECTIVES = {"aubc": "max", "accuracy": "max", "nll": "min"}
"""What trials are compared by, and which way is better."""

FIRST_SEED = 100
"""Reports use seeds below it."""

_HYPERBAND = {"max_epochs": 27, "factor": 3, "iterations": 1}
_KEYS = ("tuner", "trials", *_HYPERBAND, "objective", "seeds", "seed", "settings", "space")


@dataclass(frozen=True)
class Tuning:
    """What a tuning file says.

    Attributes:
        tuner: One of ``TUNERS``.
        trials: At most so many; None for as many as there are, of ``grid`` and ``hyperband``.
        max_epochs: Hyperband's budget of a trial that goes on to the end, which has all steps.
        factor: Of so many trials of Hyperband one goes on, with so many times the budget.
        iterations: Of Hyperband.
        objective: One of ``OBJECTIVES``.
        seeds: Root seeds of a trial's runs.
        seed: Root of what the search draws.
        tuned: What is tuned.
        space: What varies.
    """

    tuner: str
    trials: int | None
    max_epochs: int
    factor: int
    iterations: int
    objective: str
    seeds: tuple[int, ...]
    seed: int
    tuned: Tuned
    space: tuple[Dimension, ...]

    def to_json(self) -> Json:
        """All that it says, for the folder of the search."""
        own = {key: getattr(self, key) for key in _KEYS if key not in ("settings", "space")}
        return {
            **own,
            "seeds": list(self.seeds),
            "settings": self.tuned.to_json(),
            "space": {d.name: {"kind": type(d).__name__, **_plain(d)} for d in self.space},
        }


def read(path: Path) -> Tuning:
    """The search of a tuning file. Needs no TensorFlow, so names of options stay unchecked.

    Raises:
        ConfigError: The file cannot be read, or something in it cannot be; the message names the
            file, the line, the key, what was expected and how to mend it.
    """
    content = yaml_reader.read(path)
    with values.located(path):
        return _tuning(content)


def _tuning(content: object) -> Tuning:
    top = values.mapping(content, "the file", f"a mapping with the keys {', '.join(_KEYS)}")
    for key in top:
        if key in file_settings.FIELDS and key not in _KEYS:
            reason = "put it under 'settings', or under 'space' if it is to vary"
            raise values.about(f"{key!r} is a setting; {reason}", key)
        if key not in _KEYS:
            raise values.unknown_key(key, "", _KEYS)
    tuner = _one_of(top, "tuner", TUNERS, "bayesian")
    found = spaces.space_of(top.get("space"))
    for key in _HYPERBAND:
        if key in top and tuner != "hyperband":
            raise values.wrong(key, f"is of hyperband, but tuner is {tuner!r}; leave it out")
    trials = _count(top, "trials", 1) if "trials" in top else None
    if tuner == "hyperband":
        spaces.refuse_steps(found)
        if trials is not None:
            reason = "but those of hyperband follow from max_epochs, factor and iterations"
            raise values.wrong("trials", f"is {trials}, {reason}; leave it out")
    elif tuner == "grid":
        trials = min(spaces.size(found), trials or spaces.size(found))
    elif trials is None:
        raise values.about(f"trials is missing, which {tuner} needs; give a number", "tuner")
    given = values.mapping(top.get("settings"), "settings", "a mapping of settings to values")
    return Tuning(
        tuner,
        trials,
        max_epochs=_count(top, "max_epochs", 2),
        factor=_count(top, "factor", 2),
        iterations=_count(top, "iterations", 1),
        objective=_one_of(top, "objective", tuple(OBJECTIVES), "aubc"),
        seeds=_seeds(top.get("seeds", [FIRST_SEED, FIRST_SEED + 1])),
        seed=_count(top, "seed", 0),
        tuned=_tuned(given, found),
        space=found,
    )


def _tuned(given: Mapping[str, Any], space: tuple[Dimension, ...]) -> Tuned:
    settings = file_settings.settings_of(given, "settings", file_settings.PARTS)
    twice, options = spaces.split({d.name: None for d in space})
    for key in (key for key in twice if key in settings):
        raise values.wrong(f"settings.{key}", "varies in 'space'; give it there alone")
    fixed = file_settings.options_of({"settings": given})
    for option in fixed:
        name = option.partition("=")[0]
        if name in options:
            raise values.wrong(f"settings.options.{name}", "varies in 'space'; leave it out")
    parts = file_settings.parts_of(given, "settings")
    with values.at("settings"), file_settings.flags_as_keys("", "settings"):
        return Tuned.of(parts, {**settings, "options": fixed})


def _seeds(given: object) -> tuple[int, ...]:
    found = values.integers(given, "seeds")
    if not found or len({*found}) < len(found):
        raise values.wrong("seeds", f"is {list(found)}; expected one or more, each once")
    if min(found) < FIRST_SEED:
        raise values.wrong(
            "seeds",
            f"has {min(found)}; seeds below {FIRST_SEED} are for reports, whose numbers must be of "
            f"seeds that nothing was tuned on: take some from {FIRST_SEED} on",
        )
    return found


def _one_of(top: Mapping[str, Any], key: str, known: tuple[str, ...], default: str) -> str:
    found = top.get(key, default)
    if found not in known:
        raise values.wrong(key, f"is {found!r}; choose from {', '.join(known)}")
    return str(found)


def _count(top: Mapping[str, Any], key: str, least: int) -> int:
    found = top.get(key, _HYPERBAND.get(key, 0))
    if type(found) is not int or found < least:
        raise values.wrong(key, f"is {found!r}; expected an integer from {least} on")
    return found


def _plain(dimension: Dimension) -> Json:
    fields = {key: value for key, value in vars(dimension).items() if key != "name"}
    return {key: list(v) if isinstance(v, tuple) else v for key, v in fields.items()}
