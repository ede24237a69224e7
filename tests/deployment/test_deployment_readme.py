"""``serving/README.md`` names what exists, and its Python runs."""

from __future__ import annotations

import re
from concurrent import futures
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

from tests.support import deployed
from tests.support.deployed import SERVING
from tests.support.repository import REPOSITORY

README = (SERVING / "README.md").read_text()


def test_every_file_is_explained() -> None:
    table = README.split("| file | |", 1)[1].split("\n\n", 1)[0]
    tops = {path.name for path in SERVING.iterdir() if not path.name.startswith(".")}
    named = {name.rstrip("/") for name in re.findall(r"`([\w./]+)`", table)}
    assert named == tops - {"README.md"}


def test_every_path_in_it_exists() -> None:
    paths = set(re.findall(r"\bserving/[\w/]+\.(?:yaml|config|sh)\b", README))
    assert len(paths) > 5
    assert all((REPOSITORY / path).is_file() for path in paths)


def test_the_signatures_of_the_contract() -> None:
    rows = dict(re.findall(r"^\| `(classifier|generator)` \| (.*) \|$", README, re.M))
    assert set(re.findall(r"`(\w+)`", rows["classifier"])) == {
        "serving_default", "serving_bytes", "bald", "bald_bytes", "bald_seeded",
        "bald_bytes_seeded",
    }  # fmt: skip
    assert set(re.findall(r"`(\w+)`", rows["generator"])) == {"serving_default", "augment"}


class FakeModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.requests: list[Any] = []

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.requests.append(request)
        return model_management_pb2.ReloadConfigResponse()


def test_its_reload_sends_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, client = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(client.partition("\n")[0], {})  # what it imports exists; the rest needs a model
    service = FakeModelService()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.chdir(REPOSITORY)
    try:
        exec(code.replace("127.0.0.1:8500", f"127.0.0.1:{port}"), {})
    finally:
        server.stop(None).wait()
    (request,) = service.requests
    sent = {config.name: config for config in request.config.model_config_list.config}
    assert sent == deployed.model_configs("models.config")
    assert capsys.readouterr().out == "reloaded\n"
