from __future__ import annotations

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.study.tuning.workers import Role

CHIEF = {
    "KERASTUNER_TUNER_ID": "chief",
    "KERASTUNER_ORACLE_IP": "127.0.0.1",
    "KERASTUNER_ORACLE_PORT": "8000",
}


def test_roles() -> None:
    alone, chief = Role.of({}), Role.of(CHIEF)
    worker = Role.of({**CHIEF, "KERASTUNER_TUNER_ID": "tuner0"})
    assert (alone.is_chief, alone.is_worker) == (False, False)
    assert (chief.is_chief, chief.is_worker, chief.chief) == (True, False, "127.0.0.1:8000")
    assert (worker.is_chief, worker.is_worker, worker.name) == (False, True, "tuner0")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"KERASTUNER_ORACLE_PORT": None}, "KERASTUNER_ORACLE_PORT is not set; set it, or unset"),
        ({"KERASTUNER_TUNER_ID": None}, "KERASTUNER_TUNER_ID is not set"),
        ({"KERASTUNER_TUNER_ID": "a/b"}, "KERASTUNER_TUNER_ID is 'a/b'; expected chief, or a name"),
        ({"KERASTUNER_ORACLE_PORT": "http"}, "KERASTUNER_ORACLE_PORT is 'http'; expected the"),
    ],
)
def test_what_cannot_be(changed: dict[str, str | None], message: str) -> None:
    environment = {k: v for k, v in {**CHIEF, **changed}.items() if v is not None}
    with pytest.raises(ConfigError, match=message):
        Role.of(environment)
