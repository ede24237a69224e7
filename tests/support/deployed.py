"""The files of ``serving/``, parsed."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from bgadl_tf.serving.server import protos
from tests.support.repository import REPOSITORY

SERVING = REPOSITORY / "serving"
MODEL_CONFIGS = ["models.config", "classifier.config"]


def model_configs(name: str, text: str | None = None) -> dict[str, Any]:
    """The ``ModelConfig`` of every model of a config file, or of the text of one."""
    parsed = text_format.Parse(
        text or (SERVING / name).read_text(), model_server_config_pb2.ModelServerConfig()
    )
    configs = list(parsed.model_config_list.config)
    by_name = {config.name: config for config in configs}
    assert len(by_name) == len(configs), f"{name} names a model twice"
    return by_name


def batching() -> Any:
    """``batching.config``."""
    return text_format.Parse(
        (SERVING / "batching.config").read_text(), protos.batching_parameters()
    )


def monitoring() -> Any:
    """``monitoring.config``."""
    return text_format.Parse(
        (SERVING / "monitoring.config").read_text(), protos.monitoring_config()
    ).prometheus_config


@cache
def documents(path: str, **variables: str) -> list[Any]:
    """Every YAML document of a file, with ``${NAME:-default}`` filled in."""
    text = re.sub(
        r"\$\{(\w+):-([^}]*)\}",
        lambda found: variables.get(found[1], found[2]),
        (SERVING / path).read_text(),
    )
    return list(yaml.safe_load_all(text))


def service(name: str = "serving", **variables: str) -> Any:
    """A service of ``compose.yaml``, with variables set."""
    return documents("compose.yaml", **variables)[0]["services"][name]


def pod() -> Any:
    """Pod template of the Deployment."""
    return documents("kubernetes/deployment.yaml")[0]["spec"]["template"]


def container() -> Any:
    """The only container of the Deployment."""
    (only,) = pod()["spec"]["containers"]
    return only


def runtime_container() -> Any:
    """The only container of KServe's runtime."""
    (only,) = documents("kserve/runtime.yaml")[0]["spec"]["containers"]
    return only


def flags(arguments: list[str]) -> dict[str, str]:
    """Flags by name; refuses a repeated one and what is no ``--flag=value``."""
    found: dict[str, str] = {}
    for argument in arguments:
        matched = re.fullmatch(r"--(\w+)=(.+)", argument)
        assert matched, f"{argument} is not --flag=value"
        assert matched[1] not in found, f"--{matched[1]} twice"
        found[matched[1]] = matched[2]
    return found
