"""keras-tuner's own way to share a search: a chief that proposes, and workers that make trials.

Three variables of the environment say who is who::

    KERASTUNER_TUNER_ID       chief, or a name of a worker
    KERASTUNER_ORACLE_IP      where the chief listens
    KERASTUNER_ORACLE_PORT
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bgadl_tf.core.errors import ConfigError

_NAMES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


@dataclass(frozen=True)
class Role:
    """What a process does in a search.

    Attributes:
        name: Of the process, among those that share the search.
        chief: Address of the chief; None where the search is not shared.
    """

    name: str = "tuner"
    chief: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """From the environment.

        Raises:
            ConfigError: A variable is missing, or cannot be.
        """
        name, address, port = (environment.get(key) for key in _NAMES)
        if address is None and port is None:
            return cls()
        if missing := [key for key in _NAMES if key not in environment]:
            raise ConfigError(
                f"a shared search needs {', '.join(_NAMES)}, but {missing[0]} is not set; set it, "
                "or unset the others"
            )
        if not re.fullmatch(r"[A-Za-z0-9][\w-]*", str(name)):
            raise ConfigError(
                f"{_NAMES[0]} is {name!r}; expected chief, or a name of letters, digits, _ and -"
            )
        if not str(port).isdecimal() or not 0 < int(str(port)) < 2**16:
            raise ConfigError(f"{_NAMES[2]} is {port!r}; expected the number of a port")
        return cls(str(name), f"{address}:{port}")

    @property
    def is_worker(self) -> bool:
        """Whether it makes trials that a chief elsewhere proposes."""
        return self.chief is not None and not self.is_chief

    @property
    def is_chief(self) -> bool:
        """Whether it proposes trials that others make."""
        return self.chief is not None and "chief" in self.name
