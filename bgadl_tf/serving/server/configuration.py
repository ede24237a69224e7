"""The configuration files TensorFlow Serving reads, and what they mean."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server import protos
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.status import StatusError, invalid_argument
from bgadl_tf.serving.server.versions import Policy

DEFAULT_METRICS_PATH = "/monitoring/prometheus/metrics"


@dataclass(frozen=True)
class ModelConfig:
    """One model to serve.

    Attributes:
        name: Under which clients ask for it.
        base_path: Folder with one numbered folder a version.
        policy: Which of them to serve.
        labels: Names of versions.
    """

    name: str
    base_path: Path
    policy: Policy
    labels: dict[str, int]


@dataclass(frozen=True)
class Batching:
    """How requests are merged. Sizes count rows of dimension 0.

    Attributes:
        max_batch_size: Rows of a merged batch at most.
        batch_timeout_micros: How long a batch that is not full waits for more requests.
        max_enqueued_batches: Batches that may wait; more are turned away.
        num_batch_threads: Batches that run at a time.
        allowed_batch_sizes: A batch is padded to the next of these; empty for no padding.
        enable_large_batch_splitting: Run a larger request alone; if not, it is refused.
    """

    max_batch_size: int = 64
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 100
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = True


def read_models(flags: Flags) -> list[ModelConfig]:
    """The models of the command line.

    Raises:
        ConfigError: The configuration file is missing or malformed.
    """
    if flags.model_base_path:
        path = Path(flags.model_base_path).expanduser().absolute()
        return [ModelConfig(flags.model_name, path, Policy(), {})]
    message = model_server_config_pb2.ModelServerConfig()
    _read(flags.model_config_file, "--model_config_file", message)
    try:
        return model_configs(message)
    except StatusError as error:
        raise ConfigError(f"--model_config_file {flags.model_config_file}: {error}") from None


def model_configs(message: Any) -> list[ModelConfig]:
    """The models of a ``ModelServerConfig``.

    Raises:
        StatusError: It makes no sense.
    """
    if message.WhichOneof("config") == "custom_model_config":
        raise invalid_argument("only a model_config_list is supported, not a custom_model_config")
    configs: list[ModelConfig] = []
    for model in message.model_config_list.config:
        platform = model.model_platform or "tensorflow"
        if platform != "tensorflow":
            raise invalid_argument(
                f"model {model.name} is of platform {platform!r}; only 'tensorflow' is supported"
            )
        if not model.name or any(model.name == config.name for config in configs):
            raise invalid_argument(
                f"Illegal to list model {model.name} multiple times in config list"
                if model.name
                else "a model of the config list has no name"
            )
        if not Path(model.base_path).is_absolute():
            raise invalid_argument(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()="
                f"{model.base_path}"
            )
        configs.append(
            ModelConfig(
                name=model.name,
                base_path=Path(model.base_path),
                policy=_policy(model.model_version_policy),
                labels=dict(model.version_labels),
            )
        )
    return configs


def _policy(message: Any) -> Policy:
    match message.WhichOneof("policy_choice"):
        case "all":
            return Policy(latest=None)
        case "specific":
            if not message.specific.versions:
                raise invalid_argument("a specific version policy lists no versions")
            return Policy(specific=tuple(message.specific.versions))
        case "latest" if message.latest.num_versions:
            return Policy(latest=message.latest.num_versions)
        case _:
            return Policy()


def read_batching(path: str, flag: str = "--batching_parameters_file") -> Batching:
    """Batching parameters of a file; what it leaves out has our defaults.

    Raises:
        ConfigError: It is missing or malformed.
    """
    message = protos.batching_parameters()
    _read(path, flag, message)
    values: dict[str, Any] = {
        name: getattr(message, name).value
        for name in (
            "max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads",
            "enable_large_batch_splitting",
        )
        if message.HasField(name)
    }  # fmt: skip
    sizes = tuple(message.allowed_batch_sizes)
    batching = Batching(**values, allowed_batch_sizes=sizes)
    for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
        if getattr(batching, name) < 1:
            raise ConfigError(f"{flag}: {name} must be positive; was {getattr(batching, name)}")
    if batching.batch_timeout_micros < 0:
        raise ConfigError(f"{flag}: batch_timeout_micros must be non-negative")
    if sizes and (sorted(set(sizes)) != [*sizes] or sizes[-1] != batching.max_batch_size):
        raise ConfigError(
            f"{flag}: allowed_batch_sizes are {[*sizes]}; they must increase and end with "
            f"max_batch_size, {batching.max_batch_size}"
        )
    return batching


def read_metrics_path(flags: Flags) -> str | None:
    """Where metrics are to be had; None for nowhere.

    Raises:
        ConfigError: The file is missing or malformed.
    """
    if not flags.monitoring_config_file:
        return None
    message = protos.monitoring_config()
    _read(flags.monitoring_config_file, "--monitoring_config_file", message)
    prometheus = message.prometheus_config
    return (prometheus.path or DEFAULT_METRICS_PATH) if prometheus.enable else None


def _read(path: str, flag: str, message: Any) -> None:
    try:
        text_format.Parse(Path(path).expanduser().read_text(), message)
    except OSError as error:
        raise ConfigError(f"{flag} {path} cannot be read: {error.strerror}") from None
    except (text_format.ParseError, ValueError) as error:
        raise ConfigError(f"{flag} {path} is malformed: {error}") from None
