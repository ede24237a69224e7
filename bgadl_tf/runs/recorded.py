"""The settings of a run that was begun, from its ``config.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from bgadl_tf.acquisition import acquisition as acquisitions
from bgadl_tf.core.errors import RunFolderError
from bgadl_tf.core.types import Json
from bgadl_tf.learners.learner import LEARNERS
from bgadl_tf.models.spaces import space_of
from bgadl_tf.runs.config import RunConfig
from bgadl_tf.runs.options import Options


def config_of(recorded: Json, **others: Any) -> RunConfig:
    """The settings under which a run goes on.

    Args:
        recorded: What its ``config.json`` holds.
        others: Settings that are other ones by now, such as where its images are.

    Raises:
        RunFolderError: It lacks what every run of this version records.
        ConfigError: The settings cannot be, or are of a part that is not registered.
    """
    if missing := {"learner", "acquisition", "options", "example_shape"} - set(recorded):
        raise RunFolderError(
            f"config.json lacks {', '.join(sorted(missing))}; expected that of a run of this "
            "version: give the command that it was begun with"
        )
    known = {field.name for field in dataclasses.fields(RunConfig)}
    settings = {name: value for name, value in recorded.items() if name in known}
    if settings.get("method") is not None:
        settings |= {"learner": None, "acquisition": None}
    return RunConfig(**{**settings, "options": tuple(_options(recorded)), **others})


def _options(recorded: Json) -> Iterator[str]:
    """Those of learner and acquisition that are not as they are by default, as they are given."""
    learner, acquisition = recorded["learner"], recorded["acquisition"]
    space = space_of(tuple(recorded["example_shape"]))
    usual = dataclasses.asdict(LEARNERS.get(learner).options_type().for_space(space))
    yield from _different(learner, recorded["options"], usual)
    usual = Options((), learner, acquisition).describe(acquisitions.create(acquisition))
    for name, values in recorded.get("acquisition_options", {}).items():
        yield from _different(name, values, usual.get(name, {}))


def _different(owner: str, values: Json, usual: Json) -> Iterator[str]:
    for name, value in values.items():
        if value is not None and value != usual.get(name):
            yield f"{owner}.{name}={value}"
