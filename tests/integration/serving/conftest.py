"""Servers that many tests ask: one a worker, started when first wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from tests.support.saved_models import PREDICT, echo, half_plus, save, signature, v1
from tests.support.server_process import ServerProcess, serving, write_config


def scaled(folder: Path) -> Path:
    """y = x * factor, whose factor has a default; and a signature of no method anyone knows."""

    def graph() -> Mapping[str, Any]:
        x, factor = v1.placeholder(tf.float32, [None]), v1.placeholder(tf.float32, [])
        known = signature(PREDICT, {"x": x, "factor": factor}, {"y": x * factor})
        known.defaults["factor"].CopyFrom(tf.make_tensor_proto(10.0))
        return {"serving_default": known, "odd": signature("odd", {"x": x}, {"y": x + 0.0})}

    return save(folder, graph)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the models: ``half`` is x / 2 + 2, of ``plus`` version n is x / 2 + n."""
    folder = tmp_path_factory.mktemp("models")
    half_plus(2, folder / "half/1")
    for version in (1, 2, 3):
        half_plus(version, folder / f"plus/{version}")
    echo(folder / "echo/1")
    scaled(folder / "scaled/7")
    (folder / "broken/1").mkdir(parents=True)
    (folder / "broken/1/saved_model.pb").write_bytes(b"no protobuf at all")
    names = ["half", "plus", "echo", "scaled", "broken"]
    write_config(
        folder / "models.config",
        {"half a/b": folder / "half", **{name: folder / name for name in names}},
        {
            "plus": "model_version_policy { all {} } "
            'version_labels { key: "stable" value: 1 } version_labels { key: "new" value: 3 }'
        },
    )
    (folder / "monitoring.config").write_text("prometheus_config { enable: true }")
    return folder


@pytest.fixture(scope="session")
def served(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server as it is without options."""
    with serving(
        tmp_path_factory.mktemp("served"),
        f"--model_config_file={models}/models.config",
        f"--monitoring_config_file={models}/monitoring.config",
        "--max_num_load_retries=0",
    ) as server:
        server.wait_for("half", 1)
        yield server


@pytest.fixture(scope="session")
def strict(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with small limits, and with the options of its answers."""
    with serving(
        tmp_path_factory.mktemp("strict"),
        f"--model_base_path={models}/echo",
        "--model_name=echo",
        "--rest_api_max_body_bytes=100000",
        "--rest_api_timeout_in_ms=2000",
        "--rest_api_enable_cors_support",
        "--enable_serialization_as_tensor_content=true",
    ) as server:
        yield server
