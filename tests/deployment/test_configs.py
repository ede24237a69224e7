"""The text protos are what TF-Serving reads, and agree with each other."""

from __future__ import annotations

import re
import subprocess

import pytest
from google.protobuf import text_format

from tests.support import deployed
from tests.support.deployed import MODEL_CONFIGS, SERVING


def test_the_models_of_the_contract() -> None:
    assert set(deployed.model_configs("models.config")) == {"classifier", "generator"}
    assert set(deployed.model_configs("classifier.config")) == {"classifier"}


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_models_lie_where_they_are_mounted(name: str) -> None:
    for model, config in deployed.model_configs(name).items():
        assert config.base_path == f"/models/{model}"
        assert config.model_platform == "tensorflow"


def test_the_classifier_is_the_same_in_both() -> None:
    one, other = (deployed.model_configs(name)["classifier"] for name in MODEL_CONFIGS)
    assert one == other


def test_a_fresh_export_is_enough() -> None:
    for config in deployed.model_configs("models.config").values():
        assert list(config.model_version_policy.specific.versions) == [1]
        assert dict(config.version_labels) == {"stable": 1}


def taken_in(name: str) -> str:
    """A config file with the lines that are commented out for a canary taken in."""
    return re.sub(
        r"^( +)# (versions|version_labels)", r"\1\2", (SERVING / name).read_text(), flags=re.M
    )


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_the_canary_lines_parse_when_taken_in(name: str) -> None:
    for config in deployed.model_configs(name, taken_in(name)).values():
        assert list(config.model_version_policy.specific.versions) == [1, 2]
        assert dict(config.version_labels) == {"stable": 1, "canary": 2}


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_labels_are_unique_and_name_listed_versions(name: str) -> None:
    for text in (SERVING / name).read_text(), taken_in(name):
        # A map keeps the last of two equal keys silently, so the text is looked at.
        for block in text.split("config {\n    name:")[1:]:
            labels = re.findall(r'^\s*version_labels \{ key: "(\w+)"', block, re.M)
            assert len(set(labels)) == len(labels)
            assert set(labels) <= {"stable", "canary"}
        for config in deployed.model_configs(name, text).values():
            assert len(config.version_labels) > 0
            assert set(config.version_labels.values()) <= set(
                config.model_version_policy.specific.versions
            )


def test_the_embedded_server_gets_its_paths_from_the_readme_command() -> None:
    readme = (SERVING / "README.md").read_text()
    (expression,) = re.findall(r'sed "(s#[^"]+)" serving/models.config', readme)
    text = subprocess.run(
        ["sed", expression.replace("$PWD", "/somewhere"), str(SERVING / "models.config")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for model, config in deployed.model_configs("models.config", text).items():
        assert config.base_path == f"/somewhere/runs/demo/export/{model}"


def test_batching_adds_up() -> None:
    parameters = deployed.batching()
    largest = parameters.max_batch_size.value
    executed = parameters.max_execution_batch_size.value
    assert parameters.enable_large_batch_splitting.value
    assert 0 < executed <= largest
    # A largest request must fit into the queue when it is cut.
    assert parameters.max_enqueued_batches.value * executed >= 4 * largest
    assert parameters.batch_timeout_micros.value == 0
    assert not parameters.allowed_batch_sizes


def test_every_setting_of_batching_has_its_reason_above_it() -> None:
    text = (SERVING / "batching.config").read_text()
    settings = [block for block in text.split("\n\n") if re.search(r"^\w", block, re.M)]
    assert len(settings) == len(deployed.batching().ListFields())
    for block in settings:
        *reason, setting = block.strip().splitlines()
        assert reason, f"no reason for {setting}"
        assert all(line.startswith("# ") for line in reason)
        assert re.fullmatch(r"\w+ \{ value: \w+ \}", setting)


def test_monitoring_is_on() -> None:
    assert deployed.monitoring().enable
    assert deployed.monitoring().path == "/monitoring/prometheus/metrics"


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(text_format.ParseError, match="max_batch"):
        text_format.Parse("max_batch { value: 1 }", type(deployed.batching())())
