from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from bgadl_tf.core.errors import ConfigError
from bgadl_tf.serving.server import configuration
from bgadl_tf.serving.server.configuration import Batching, ModelConfig
from bgadl_tf.serving.server.flags import Flags
from bgadl_tf.serving.server.versions import Policy
from tests.support.repository import REPOSITORY


def models(tmp_path: Path, text: str) -> list[ModelConfig]:
    (tmp_path / "models.config").write_text(text)
    return configuration.read_models(Flags(model_config_file=f"{tmp_path}/models.config"))


def one(policy: str = "", rest: str = "") -> str:
    return (
        "model_config_list { config { name: 'm' base_path: '/m' model_platform: 'tensorflow' "
        f"model_version_policy {{ {policy} }} {rest} }} }}"
    )


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", Policy()),
        ("latest {}", Policy()),
        ("latest { num_versions: 3 }", Policy(latest=3)),
        ("all {}", Policy(latest=None)),
        ("specific { versions: 4 versions: 2 }", Policy(specific=(4, 2))),
    ],
)
def test_policies(tmp_path: Path, policy: str, expected: Policy) -> None:
    labels = "version_labels { key: 'stable' value: 4 } version_labels { key: 'new' value: 2 }"
    assert models(tmp_path, one(policy, labels)) == [
        ModelConfig("m", Path("/m"), expected, {"stable": 4, "new": 2})
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_config_list {", "malformed"),
        ("nonsense: 1", "malformed"),
        ("\udcff", "malformed"),
        ("model_config_list { config { base_path: '/m' } }", "has no name"),
        ("model_config_list { config { name: 'm' base_path: 'm' } }", "absolute path"),
        ("model_config_list { config { name: 'm' } }", "absolute path"),
        ("custom_model_config {}", "custom_model_config"),
        (one("specific {}"), "lists no versions"),
        (one().replace("tensorflow", "caffe"), "platform 'caffe'"),
        (one()[:-2] + one()[len("model_config_list {"):-2] + "}", "multiple times"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "models.config").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=message):
        configuration.read_models(Flags(model_config_file=f"{tmp_path}/models.config"))


def test_no_config_serves_nothing(tmp_path: Path) -> None:
    assert models(tmp_path, "") == []


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    for flag, read in (
        ("--model_config_file", lambda path: configuration.read_models(
            Flags(model_config_file=path))),
        ("--monitoring_config_file", lambda path: configuration.read_metrics_path(
            Flags(monitoring_config_file=path))),
        ("--batching_parameters_file", configuration.read_batching),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"{flag} .*/none cannot be read: No such file"):
            read(f"{tmp_path}/none")


def batching(tmp_path: Path, text: str) -> Batching:
    (tmp_path / "batching.config").write_text(text)
    return configuration.read_batching(f"{tmp_path}/batching.config")


def test_batching_parameters(tmp_path: Path) -> None:
    assert batching(tmp_path, "") == Batching()
    text = """
        max_batch_size { value: 32 } batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 7 } num_batch_threads { value: 3 }
        thread_pool_name { value: 'x' } allowed_batch_sizes: 8 allowed_batch_sizes: 32
        pad_variable_length_inputs: false enable_large_batch_splitting { value: false }
        max_execution_batch_size { value: 8 }
    """
    assert batching(tmp_path, text) == Batching(32, 0, 7, 3, (8, 32), False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size { value: 0 }", "max_batch_size must be positive; was 0"),
        ("num_batch_threads { value: -1 }", "num_batch_threads must be positive"),
        ("max_enqueued_batches { value: 0 }", "max_enqueued_batches must be positive"),
        ("batch_timeout_micros { value: -1 }", "must be non-negative"),
        ("allowed_batch_sizes: 3", "end with max_batch_size, 64"),
        ("allowed_batch_sizes: 64 allowed_batch_sizes: 64", "must increase"),
        ("max_batch_size: 5", "malformed"),
    ],
)
def test_batching_parameters_that_make_no_sense(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        batching(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("prometheus_config { path: '/x' }", None),
        ("prometheus_config { enable: true }", "/monitoring/prometheus/metrics"),
        ("prometheus_config { enable: true path: '/x' }", "/x"),
    ],
)
def test_where_metrics_are(tmp_path: Path, text: str, expected: str | None) -> None:
    file = tmp_path / "monitoring.config"
    file.write_text(text)
    assert configuration.read_metrics_path(Flags(monitoring_config_file=str(file))) == expected
    assert configuration.read_metrics_path(Flags()) is None


def test_the_only_model_of_the_command_line(tmp_path: Path) -> None:
    (config,) = configuration.read_models(Flags(model_base_path="a", model_name="b"))
    assert (config.name, config.base_path) == ("b", Path("a").absolute())


def test_text_of_the_real_message_is_read(tmp_path: Path) -> None:
    message = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(one("latest { num_versions: 2 }"), message)
    assert models(tmp_path, text_format.MessageToString(message))[0].policy == Policy(latest=2)


def test_the_deployment_files_are_read() -> None:
    folder = REPOSITORY / "serving"
    assert configuration.read_models(Flags(model_config_file=f"{folder}/models.config"))
    assert configuration.read_batching(f"{folder}/batching.config")
    flags = Flags(monitoring_config_file=f"{folder}/monitoring.config")
    assert configuration.read_metrics_path(flags)
