"""Versions, configurations and batches of a real server, from outside."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import requests
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2

from tests.support.prometheus_page import label_values, value
from tests.support.saved_models import half_plus
from tests.support.server_process import ServerProcess, serving, write_config


def publish(base: Path, number: int) -> None:
    """By rename, as a version should be; version n answers x / 2 + n."""
    half_plus(number, base / f".tmp-{number}")
    (base / f".tmp-{number}").rename(base / str(number))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Serves ``m``; ``late`` has no folder yet."""
    folder = tmp_path_factory.mktemp("reloading")
    publish(folder / "m", 1)
    write_config(folder / "models.config", {"m": folder / "m", "late": folder / "late"})
    (folder / "monitoring.config").write_text("prometheus_config { enable: true }")
    with serving(
        folder,
        f"--model_config_file={folder}/models.config",
        f"--monitoring_config_file={folder}/monitoring.config",
        "--model_config_file_poll_wait_seconds=0.1",
        "--file_system_poll_wait_seconds=0.1",
        "--load_retry_interval_micros=100000",
        "--max_num_load_retries=1",
        "--enable_batching",
    ) as server:
        yield server


@pytest.fixture
def folder(server: ServerProcess) -> Path:
    return server.log_file.parent


class Asking:
    """Threads that ask all the time, and what they were answered."""

    def __init__(self, server: ServerProcess) -> None:
        self.server, self.done = server, threading.Event()
        self.answers: Counter[float] = Counter()
        self.failures: list[str] = []
        self.threads = [threading.Thread(target=self.ask) for _ in range(4)]

    def ask(self) -> None:
        with requests.Session() as http:
            while not self.done.is_set():
                try:
                    answer = http.post(
                        f"{self.server.rest}/v1/models/m:predict",
                        json={"instances": [0.0, 2.0]},
                        timeout=30,
                    )
                    first, second = answer.json()["predictions"]
                    assert second == first + 1, answer.text
                    self.answers[first] += 1
                except Exception as error:
                    self.failures.append(repr(error))

    def __enter__(self) -> Asking:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join(30)


def test_versions_come_and_go_and_nobody_notices(server: ServerProcess, folder: Path) -> None:
    with Asking(server) as asking:
        for number in (2, 3, 4):
            publish(folder / "m", number)
            server.wait_for("m", number)
            shutil.rmtree(folder / "m" / str(number - 1))
            server.wait(lambda number=number: asking.answers[float(number)] > 10)
    assert asking.failures == []
    assert sorted(asking.answers) == [1, 2, 3, 4]


def test_half_a_version_is_reported_and_not_served(server: ServerProcess, folder: Path) -> None:
    shutil.copytree(folder / "m" / "4", folder / "m" / ".tmp-9")
    (folder / "m" / ".tmp-9" / "saved_model.pb").unlink()
    (folder / "m" / ".tmp-9").rename(folder / "m" / "9")
    with Asking(server) as asking:
        server.wait(lambda: server.states("m").get(9) == "END")
        time.sleep(0.5)
    assert asking.failures == []
    assert sorted(asking.answers) == [4]
    (status,) = server.get("/models/m/versions/9").json()["model_version_status"]
    assert status["status"]["error_code"] != "OK"
    assert status["status"]["error_message"]
    assert str(folder) not in str(status)
    assert server.log.count("version 9: cannot be loaded") == 2
    shutil.rmtree(folder / "m" / "9")


def test_a_model_without_a_folder_is_waited_for(server: ServerProcess, folder: Path) -> None:
    answer = server.get("/models/late")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error.startswith("Could not find any versions of model late; the base path ")
    assert error.endswith("/late does not exist")
    publish(folder / "late", 5)
    server.wait_for("late", 5)


def test_the_configuration_is_read_again(server: ServerProcess, folder: Path) -> None:
    publish(folder / "m", 6)
    server.wait_for("m", 6)
    with Asking(server) as asking:
        policy = "model_version_policy { specific { versions: 4 versions: 6 } }"
        write_config(folder / "models.config", {"m": folder / "m"}, {"m": policy})
        server.wait_for("m", 4, 6)
        server.wait(lambda: server.get("/models/late").status_code == 404)
        (folder / "models.config").write_text("model_config_list {")  # noticed, and ignored
        server.wait(lambda: "is malformed" in server.log)
        labels = 'version_labels { key: "stable" value: 4 }'
        write_config(folder / "models.config", {"m": folder / "m"}, {"m": policy + labels})
        stable = {"instances": [2.0]}
        server.wait(
            lambda: server.post("/models/m/labels/stable:predict", stable).status_code == 200
        )
        assert server.ask("m/labels/stable", stable) == {"predictions": [5.0]}
    assert asking.failures == []


def test_reload_requests_are_the_whole_configuration(tmp_path: Path) -> None:
    for name, number in (("a", 1), ("a", 2), ("b", 1)):
        publish(tmp_path / name, number)

    def reload(text: str, **models: Path) -> grpc.StatusCode:
        request = model_management_pb2.ReloadConfigRequest()
        file = write_config(tmp_path / "x.config", models, {"a": text})
        text_format.Parse(file.read_text(), request.config)
        try:
            assert server.models.HandleReloadConfigRequest(request).status.error_code == 0
        except grpc.RpcError as error:
            return error.code()  # type: ignore[attr-defined,no-any-return]
        return grpc.StatusCode.OK

    a, b = tmp_path / "a", tmp_path / "b"
    with serving(tmp_path, f"--model_base_path={a}", "--model_name=a") as server:
        both = "model_version_policy { all {} } "
        assert reload(both, a=a, b=b) == grpc.StatusCode.OK
        assert server.states("a") == {1: "AVAILABLE", 2: "AVAILABLE"}
        assert server.states("b") == {1: "AVAILABLE"}
        label = 'version_labels { key: "x" value: %d }'
        assert reload(both + label % 1, a=a, b=b) == grpc.StatusCode.OK
        assert reload(both + label % 3, a=a) == grpc.StatusCode.FAILED_PRECONDITION
        assert server.ask("a/labels/x", {"instances": [0.0]}) == {"predictions": [1.0]}
        assert server.states("b") == {1: "AVAILABLE"}
        assert reload(both + label % 2, a=a) == grpc.StatusCode.OK
        assert server.ask("a/labels/x", {"instances": [0.0]}) == {"predictions": [2.0]}
        assert server.states("b") == {}
        assert reload("", a=a, c=tmp_path / "c") == grpc.StatusCode.UNKNOWN
        assert server.states("a") == {1: "END", 2: "AVAILABLE"}
        assert reload("", a=Path("relative")) == grpc.StatusCode.INVALID_ARGUMENT
        assert server.ask("a", {"instances": [0.0]}) == {"predictions": [2.0]}


def test_metrics_tell_of_requests_and_batches(server: ServerProcess) -> None:
    for number in range(20):
        server.post(f"/models/nobody-{number}:predict", {"instances": [1]})
    with Asking(server) as asking:
        server.wait(lambda: sum(asking.answers.values()) > 300)
    page = server.http.get(f"{server.rest}/monitoring/prometheus/metrics", timeout=10)
    assert page.headers["Content-Type"].startswith("text/plain")
    name = ":tensorflow:serving:request_count"
    assert value(page.text, name, model_name="m", status="OK") > 300
    assert label_values(page.text, name, "model_name") <= {"m", "late", ""}
    name = ":tensorflow:serving:batching_session:processed_batch_size"
    rows, count = (value(page.text, f"{name}_{end}", model_name="m") for end in ("sum", "count"))
    assert rows > 2 * count  # two rows a request: some were merged


@pytest.mark.slow
def test_memory_is_flat(tmp_path: Path) -> None:
    publish(tmp_path / "m", 1)

    def memory() -> float:
        text = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def reload(first: int, last: int) -> None:
        for number in range(first, last):
            publish(tmp_path / "m", number)
            server.wait_for("m", number)
            shutil.rmtree(tmp_path / "m" / str(number - 1))

    def ask(count: int) -> None:
        for number in range(count):
            server.ask("m", {"instances": [float(number)] * (1 + number % 50)})

    with serving(
        tmp_path,
        f"--model_base_path={tmp_path}/m",
        "--model_name=m",
        "--file_system_poll_wait_seconds=0.05",
        "--enable_batching",
    ) as server:
        reload(2, 12)
        ask(1000)
        before = memory()
        reload(12, 62)
        after_reloads = memory()
        ask(5000)
        after = memory()
    print(f"\nMiB: {before:.0f}, 50 reloads {after_reloads:.0f}, 5000 requests {after:.0f}")
    assert after_reloads - before < 60
    assert after - after_reloads < 30
