"""Compose, Kubernetes and KServe say the same things, in flags TF-Serving has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import deployed, tf_serving_flags
from tests.support.deployed import SERVING

COMMANDS = {
    "compose": lambda: deployed.service()["command"],
    "kubernetes": lambda: deployed.container()["args"],
    "kserve": lambda: deployed.runtime_container()["args"],
}
PORTS = {"grpc": 8500, "rest": 8501}
OF_THE_EMBEDDED_SERVER = {"request_log_dir", "request_log_max_bytes"}
"""Flags that only it has, and that the README tells of."""
YAML_FILES = sorted(
    path.relative_to(SERVING) for pattern in ("*.yaml", "*.yml") for path in SERVING.rglob(pattern)
)


def flags(where: str) -> dict[str, str]:
    return deployed.flags(COMMANDS[where]())


def values(node: Any, key: str) -> list[Any]:
    """What stands under a key, anywhere in a document."""
    if isinstance(node, dict):
        here = [node[key]] if key in node else []
        return here + [found for child in node.values() for found in values(child, key)]
    if isinstance(node, list):
        return [found for child in node for found in values(child, key)]
    return []


@pytest.mark.parametrize("file", YAML_FILES, ids=str)
def test_every_yaml_file_parses(file: Path) -> None:
    assert all(isinstance(document, dict) for document in deployed.documents(str(file)))


@pytest.mark.parametrize("where", COMMANDS)
def test_every_flag_is_one_of_tf_serving(where: str) -> None:
    assert set(flags(where)) <= tf_serving_flags.FLAGS


def test_every_flag_of_the_readme_is_one_of_tf_serving() -> None:
    readme = (SERVING / "README.md").read_text()
    # Theirs have underscores or a value; docker's and kubectl's have neither.
    named = set(re.findall(r"--(\w+_\w+)", readme)) | set(re.findall(r"--(\w+)=\d", readme))
    assert {"port", "rest_api_port", "model_config_file"} < named
    assert named <= tf_serving_flags.FLAGS | OF_THE_EMBEDDED_SERVER


def test_compose_and_kubernetes_start_the_same_server() -> None:
    assert flags("compose") == flags("kubernetes")
    assert deployed.service()["entrypoint"] == deployed.container()["command"]
    assert deployed.runtime_container()["command"] == deployed.container()["command"]


def test_images_are_pinned_and_the_same_everywhere() -> None:
    images = {
        image
        for file in YAML_FILES
        for document in deployed.documents(str(file))
        for image in values(document, "image")
    }
    assert images == {"tensorflow/serving:2.20.0", "prom/prometheus:v3.5.0"}
    assert set(re.findall(r"tensorflow/serving:[\d.]*\d", (SERVING / "README.md").read_text())) == {
        "tensorflow/serving:2.20.0"
    }


def test_ports_agree() -> None:
    for where in "compose", "kubernetes":
        assert flags(where)["port"] == str(PORTS["grpc"])
        assert flags(where)["rest_api_port"] == str(PORTS["rest"])
    assert {port["name"]: port["containerPort"] for port in deployed.container()["ports"]} == PORTS
    (service,) = deployed.documents("kubernetes/service.yaml")
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == PORTS
    assert all(port["targetPort"] == port["name"] for port in service["spec"]["ports"])
    assert deployed.container()["livenessProbe"]["tcpSocket"]["port"] in PORTS


def test_compose_publishes_on_loopback_alone() -> None:
    published = [
        port for name in ("serving", "prometheus") for port in deployed.service(name)["ports"]
    ]
    assert published == [f"127.0.0.1:{port}:{port}" for port in (8500, 8501, 9090)]


def test_metrics_are_scraped_where_they_are() -> None:
    (job,) = deployed.documents("prometheus.yml")[0]["scrape_configs"]
    assert job["metrics_path"] == deployed.monitoring().path
    assert job["static_configs"] == [{"targets": ["serving:8501"]}]
    annotations = deployed.pod()["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == deployed.monitoring().path
    assert annotations["prometheus.io/port"] == str(PORTS["rest"])


@pytest.mark.parametrize("config", deployed.MODEL_CONFIGS)
def test_compose_probes_the_models_it_serves(config: str) -> None:
    service = deployed.service(BGADL_CONFIG=config)
    served = deployed.flags(service["command"])["model_config_file"]
    assert served == f"/config/{config}"
    assert service["healthcheck"]["test"] == [
        "CMD", "/bin/bash", "/config/available.sh", str(PORTS["rest"]), served,
    ]  # fmt: skip


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe"])
def test_a_pod_is_ready_when_its_models_are_available(probe: str) -> None:
    assert deployed.container()[probe]["exec"]["command"] == [
        "/bin/bash", "/config/available.sh", str(PORTS["rest"]),
        flags("kubernetes")["model_config_file"],
    ]  # fmt: skip


def test_the_export_folder_is_mounted_read_only() -> None:
    def models(**variables: str) -> Any:
        volumes = deployed.service(**variables)["volumes"]
        (found,) = [volume for volume in volumes if volume["target"] == "/models"]
        return found

    assert models()["source"] == "../runs/demo/export"
    assert models(BGADL_MODELS="/mine/export")["source"] == "/mine/export"
    assert all(volume["read_only"] for volume in deployed.service()["volumes"])
    mounts = {mount["mountPath"]: mount for mount in deployed.container()["volumeMounts"]}
    assert mounts["/models"]["readOnly"]
    assert mounts["/config"]["readOnly"]


def test_files_named_in_flags_are_mounted() -> None:
    (models, server) = deployed.documents("kustomization.yaml")[0]["configMapGenerator"]
    mounted = {f"/config/{file}" for file in models["files"] + server["files"]}
    named = {value for name, value in flags("kubernetes").items() if name.endswith("_file")}
    assert named | {"/config/available.sh"} == mounted
    assert all((SERVING / path.removeprefix("/config/")).is_file() for path in mounted)
    sources = [
        source["configMap"]["name"]
        for volume in deployed.pod()["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
    ]
    assert sources == [models["name"], server["name"]]


def test_cpus_agree() -> None:
    resources = deployed.container()["resources"]
    cpus = {
        str(deployed.batching().num_batch_threads.value),
        str(deployed.service()["cpus"]),
        resources["requests"]["cpu"],
        resources["limits"]["cpu"],
        *(flags(where)[f"tensorflow_{op}_op_parallelism"] for where in COMMANDS
          for op in ("intra", "inter")),
        deployed.runtime_container()["resources"]["requests"]["cpu"],
    }  # fmt: skip
    assert cpus == {"2"}


def test_a_pod_drains_longer_than_a_request_lasts() -> None:
    timeout_seconds = int(flags("kubernetes")["rest_api_timeout_in_ms"]) / 1000
    drain = deployed.container()["lifecycle"]["preStop"]["exec"]["command"]
    assert drain[:2] == ["/bin/bash", "-c"]
    seconds = int(drain[2].removeprefix("sleep "))
    assert timeout_seconds < seconds < deployed.pod()["spec"]["terminationGracePeriodSeconds"]


def test_nothing_runs_as_root() -> None:
    (upload,) = deployed.documents("kubernetes/upload.yaml")
    for spec in deployed.pod()["spec"], upload["spec"]:
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 0
        assert not spec["automountServiceAccountToken"]
        for container in spec["containers"]:
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert deployed.runtime_container()["securityContext"]["runAsNonRoot"]
    user, group = deployed.service()["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_selectors_find_the_pods() -> None:
    (deployment,) = deployed.documents("kubernetes/deployment.yaml")
    (service,) = deployed.documents("kubernetes/service.yaml")
    labels = deployed.pod()["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    (upload,) = deployed.documents("kubernetes/upload.yaml")
    assert values(upload, "matchLabels") == [labels]


def test_everybody_mounts_the_same_claim() -> None:
    (claim,) = deployed.documents("kubernetes/volume.yaml")
    (upload,) = deployed.documents("kubernetes/upload.yaml")
    names = values(deployed.pod(), "claimName") + values(upload, "claimName")
    assert names == [claim["metadata"]["name"]] * 2
    uris = [
        service["spec"]["predictor"]["model"]["storageUri"]
        for service in deployed.documents("kserve/inferenceservices.yaml")
    ]
    assert uris == [f"pvc://{names[0]}/{model}" for model in ("classifier", "generator")]


def test_kserve_uses_our_runtime_on_its_port() -> None:
    (runtime,) = deployed.documents("kserve/runtime.yaml")
    container = deployed.runtime_container()
    assert container["name"] == "kserve-container"
    assert flags("kserve")["rest_api_port"] == "8080"
    assert [port["containerPort"] for port in container["ports"]] == [8080]
    assert container["readinessProbe"]["tcpSocket"]["port"] == 8080
    assert flags("kserve")["model_base_path"] == "/mnt/models"
    assert flags("kserve")["model_name"] == "{{.Name}}"
    (supported,) = runtime["spec"]["supportedModelFormats"]
    services = deployed.documents("kserve/inferenceservices.yaml")
    assert [service["metadata"]["name"] for service in services] == [
        *deployed.model_configs("models.config")
    ]
    for service in services:
        model = service["spec"]["predictor"]["model"]
        assert model["runtime"] == runtime["metadata"]["name"]
        assert model["protocolVersion"] == "v1"
        assert "v1" in runtime["spec"]["protocolVersions"]
        assert model["modelFormat"].items() <= supported.items()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl to render with")
def test_kustomize_renders() -> None:
    rendered = subprocess.run(
        ["kubectl", "kustomize", str(SERVING)], check=True, capture_output=True, text=True
    )
    assert not rendered.stderr
    found = {
        (document["kind"], document["metadata"]["name"]): document
        for document in yaml.safe_load_all(rendered.stdout)
    }
    kinds = sorted(kind for kind, _ in found)
    assert kinds == [
        "ConfigMap", "ConfigMap", "Deployment", "PersistentVolumeClaim", "Service",
    ]  # fmt: skip
    # The polled map keeps its name; the other is named after its content.
    models = found["ConfigMap", "bgadl-models-config"]
    assert models["data"] == {"models.config": (SERVING / "models.config").read_text()}
    mounted = [
        source["configMap"]["name"]
        for sources in values(found["Deployment", "bgadl-serving"], "sources")
        for source in sources
    ]
    assert mounted[0] == "bgadl-models-config"
    assert mounted[1].startswith("bgadl-server-config-")
    assert ("ConfigMap", mounted[1]) in found
