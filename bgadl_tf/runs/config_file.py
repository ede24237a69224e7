"""``train --config``: the settings of a run as a YAML file.

::

    method: bgadl-semi          # or learner and acquisition
    dataset: digits
    steps: 400
    options: {vaeacgan.width: 0.5}

Settings are the flags of ``bgadl train``, spelt with ``_``, as in the ``settings`` of a study file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import file_settings, yaml_reader
from bgadl_tf.runs import file_values as values
from bgadl_tf.runs.config import RunConfig

_OF_ONE_RUN = (*file_settings.PARTS, "seed", "data_dir")
"""Settings that a study file has elsewhere or not at all."""


def read(path: Path) -> dict[str, Any]:
    """Settings of a file: arguments of ``RunConfig``.

    Raises:
        ConfigError: The file cannot be read, or something in it cannot be; the message names the
            file, the line, the key, what was expected and how to mend it.
    """
    content = yaml_reader.read(path)
    with values.located(path):
        given = values.mapping(content, "the file", "a mapping of settings to their values")
        settings = file_settings.settings_of(given, "", _OF_ONE_RUN)
        for key in _OF_ONE_RUN:
            if key in given:
                settings[key] = file_settings.value_of(key, given[key], "")
        settings["options"] = file_settings.options_of({"": given})
        with file_settings.flags_as_keys("", ""):
            RunConfig(**settings)
    return settings


def config_of(file: Path | None, flags: Mapping[str, Any]) -> RunConfig:
    """The settings of a run: a file's, and what flags say, which win.

    Of options, those that no flag names stay the file's.

    Args:
        file: What ``--config`` names, if anything.
        flags: Settings for which a flag was given.

    Raises:
        ConfigError: As ``read``; or the two together cannot be.
    """
    settings = {} if file is None else read(file)
    if "method" in flags:
        settings.pop("learner", None)
        settings.pop("acquisition", None)
    elif {"learner", "acquisition"} <= flags.keys():
        settings.pop("method", None)
    options = (*settings.get("options", ()), *flags.get("options", ()))
    try:
        return RunConfig(**{**settings, **flags, "options": options})
    except ConfigError as error:
        raise ConfigError(
            f"{error}" + (f" (with the settings of {file})" if file else "")
        ) from None
