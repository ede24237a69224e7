"""Whether a run is of the settings that its study gives it: what comparing it rests on.

A setting that the study leaves open (nothing, or ``auto``), or that the version which made the run
did not know, is whatever the run has. So are the number of rounds, which may grow, and where a
machine keeps its data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.core.types import Json
from bgadl_tf.runs.config import MACHINE_SETTINGS, RunConfig
from bgadl_tf.runs.methods import resolve
from bgadl_tf.study.runs import CHOSEN_FOR_REFERENCES, Run

_OPEN = (None, "auto")
_APART = ("method", "learner", "acquisition", "options")
_NOT_COMPARED = ("rounds", "data_dir", *MACHINE_SETTINGS, *_APART)
_OF_ONE_ROUND = ("steps", *CHOSEN_FOR_REFERENCES)
"""Settings that a run on the whole training set resolves to its own."""


def differences(run: Run, config: RunConfig) -> list[str]:
    """Settings of a run that are not those it is to have, seed included, in words.

    Args:
        run: Finished or not.
        config: What it is to have.
    """
    found = [*_other_method(run.config, config)]
    skipped = (*_NOT_COMPARED, *(_OF_ONE_ROUND if run.is_reference else ()))
    for key, wanted in config.to_json().items():
        if key in skipped or wanted in _OPEN or key not in run.config:
            continue
        if run.config[key] != wanted:
            found.append(f"{key} is {run.config[key]}, the study's is {wanted}")
    return [*found, *_other_options(run.config, config)]


def _other_method(saved: Json, config: RunConfig) -> Iterator[str]:
    if config.method and saved.get("method"):
        ours, theirs = str(saved["method"]), config.method
    else:
        try:
            wanted = resolve(config.method, config.learner, config.acquisition)
        except ConfigError:
            return  # Of another version.
        ours = f"{saved.get('learner')}+{saved.get('acquisition')}"
        theirs = f"{wanted.learner}+{wanted.acquisition}"
    if ours != theirs:
        yield f"it is of {ours}, the study's is of {theirs}"


def _other_options(saved: Json, config: RunConfig) -> Iterator[str]:
    sources = [
        (str(saved.get("learner")), saved.get("options")),
        *(saved.get("acquisition_options") or {}).items(),
    ]
    asked: dict[tuple[int, str], tuple[str, str]] = {}
    for option in config.options:
        name, _, wanted = option.partition("=")
        owner, _, short = name.rpartition(".")
        for place, (called, values) in enumerate(sources):
            # Options of learners that the run does not use are none of its.
            if owner in ("", called) and isinstance(values, Mapping) and short in values:
                asked[place, short] = name, wanted
    for (place, short), (name, wanted) in asked.items():
        given = sources[place][1][short]
        if wanted not in _OPEN and not _same(given, wanted):
            yield f"option {name} is {given}, the study's is {wanted}"


def _same(saved: Any, given: str) -> bool:
    """Whether a value of config.json is what a text gives."""
    if isinstance(saved, bool):
        return given.lower() in (("true", "1", "yes") if saved else ("false", "0", "no"))
    try:
        return float(given) == float(saved)
    except (TypeError, ValueError):
        return str(saved) == given
