from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.runs import config
from bgadl_tf.runs.config import RunConfig


def test_defaults_are_valid_and_frozen() -> None:
    settings = RunConfig()
    assert settings.dataset == "digits"
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.seed = 1  # type: ignore[misc]


def test_every_setting_has_a_help_text() -> None:
    assert all(field.metadata["help"] for field in dataclasses.fields(RunConfig))


def test_json_round_trip() -> None:
    settings = RunConfig(dataset="folder:a b", method="bgadl", options=("a=1", "b=x"), dropout=0.5)
    assert RunConfig.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_unknown_settings_of_a_file_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown settings speed"):
        RunConfig.from_json({"speed": 3})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rounds": -1}, "--rounds is -1; it must be at least 0"),
        ({"query_size": 0}, "--query-size is 0"),
        ({"mc_samples": 1}, "--mc-samples is 1; it must be at least 2"),
        ({"initial_size": 0}, "--initial-size is 0"),
        ({"seed": -1}, "--seed is -1"),
        ({"image_size": 0}, "--image-size is 0; it must be at least 1"),
        ({"image_size": 2**31}, "--image-size is 2147483648; it must be at most 2147483647"),
        ({"dropout": 1.0}, "--dropout is 1.0"),
        ({"strategy": "tpu"}, "--strategy is 'tpu'; choose from one_device"),
        ({"precision": "float16"}, "--precision is 'float16'; choose from float32"),
        ({"method": "bgadl", "learner": "plain"}, "either --method or"),
        ({"cpu_replicas": 2}, "add --strategy mirrored"),
        ({"candidates": 5, "query_size": 6}, "fewer than --query-size 6"),
        ({"options": ("kl_weight",)}, "it must look like NAME=VALUE"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig(**settings)


def test_the_whole_pool_may_be_scored() -> None:
    assert RunConfig(candidates=0, query_size=50).candidates == 0


def test_flags() -> None:
    assert config.flag("query_size") == "--query-size"
    assert config.flag("options") == "--option"


@dataclasses.dataclass(frozen=True)
class Options:
    weight: float = 1.0
    steps: int | None = None
    sharp: bool = False
    name: str = "a"


def test_scalar_type_sees_through_none() -> None:
    assert config.scalar_type(Options, "steps") is int
    assert config.scalar_type(Options, "weight") is float
