"""``available.sh`` against a fake server: only AVAILABLE is ready."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.deployed import SERVING

Ask = Callable[..., subprocess.CompletedProcess[str]]


def status(*states: str, message: str = "", indent: int | None = 1) -> str:
    """The answer of TF-Serving's status URL, one version a state."""
    return json.dumps(
        {
            "model_version_status": [
                {
                    "version": str(version),
                    "state": state,
                    "status": {"error_code": "OK", "error_message": message},
                }
                for version, state in enumerate(states, start=1)
            ]
        },
        indent=indent,
    )


def run(port: int, *what: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SERVING / "available.sh"), str(port), *map(str, what)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Runs the script against a server with these answers, by path after ``/v1/models/``."""
    answers: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            missing = (404, json.dumps({"error": "Could not find any versions of model"}))
            code, body = answers.get(self.path.removeprefix("/v1/models/"), missing)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    def answers_to(
        what: list[str | Path], **paths: str | tuple[int, str]
    ) -> subprocess.CompletedProcess[str]:
        answers.clear()
        for path, answer in paths.items():
            answers[path] = answer if isinstance(answer, tuple) else (200, answer)
        return run(server.server_address[1], *what)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield answers_to
        server.shutdown()


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_available(ask: Ask, indent: int | None) -> None:
    answered = ask(["classifier"], classifier=status("AVAILABLE", indent=indent))
    assert answered.returncode == 0
    assert not answered.stdout + answered.stderr


@pytest.mark.parametrize("state", ["START", "LOADING", "UNLOADING", "END"])
def test_any_other_state_with_200_is_not_ready(ask: Ask, state: str) -> None:
    answered = ask(["classifier"], classifier=status(state))
    assert answered.returncode == 1
    assert "classifier" in answered.stderr
    assert "not AVAILABLE" in answered.stderr


def test_an_old_version_is_enough_when_the_new_one_failed(ask: Ask) -> None:
    assert ask(["classifier"], classifier=status("AVAILABLE", "END")).returncode == 0


def test_every_model_must_be_available(ask: Ask) -> None:
    good, bad = status("AVAILABLE"), status("LOADING")
    both: list[str | Path] = ["classifier", "generator"]
    assert ask(both, classifier=good, generator=good).returncode == 0
    answered = ask(both, classifier=good, generator=bad)
    assert answered.returncode == 1
    assert "generator" in answered.stderr
    assert ask(both, classifier=good).returncode == 1


def test_a_version_and_a_label(ask: Ask) -> None:
    paths = {
        "classifier/versions/2": status("LOADING"),
        "classifier/labels/stable": status("AVAILABLE"),
    }
    assert ask(["classifier/versions/2"], **paths).returncode == 1
    assert ask(["classifier/labels/stable"], **paths).returncode == 0


@pytest.mark.parametrize("config", ["models.config", "classifier.config"])
def test_the_models_of_a_config_file(ask: Ask, config: str) -> None:
    good = status("AVAILABLE")
    assert ask([SERVING / config], classifier=good, generator=good).returncode == 0
    with_one = ask([SERVING / config], classifier=good).returncode
    assert with_one == (1 if config == "models.config" else 0)
    assert ask([SERVING / config], generator=good).returncode == 1


def test_commented_models_of_a_config_file_are_not_asked_for(ask: Ask, tmp_path: Path) -> None:
    config = tmp_path / "one.config"
    config.write_text('config {\n  name: "classifier"\n  # name: "generator"\n}')
    assert ask([config], classifier=status("AVAILABLE")).returncode == 0


def test_the_word_elsewhere_does_not_count(ask: Ask) -> None:
    lie = '"state": "AVAILABLE"'
    assert ask(["classifier"], classifier=status("END", message=lie)).returncode == 1
    assert ask(["classifier"], classifier=(503, status("AVAILABLE"))).returncode == 1


def test_refused(ask: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answered = run(unused.getsockname()[1], "classifier")
    assert answered.returncode == 1
    assert "not AVAILABLE" in answered.stderr


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert run(silent.getsockname()[1], "classifier").returncode == 1


def test_an_answer_without_an_end_is_read() -> None:
    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + status("AVAILABLE").encode())
            with contextlib.suppress(ConnectionResetError):
                connection.recv(4096)  # stays open until the script goes

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        assert run(server.getsockname()[1], "classifier").returncode == 0
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize("what", [[], ["no-such-file.config"]])
def test_wrong_use(what: list[str]) -> None:
    answered = run(8501, *what)
    assert answered.returncode == 2
    assert answered.stderr.startswith("usage: ")


def test_a_config_file_without_models_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "empty.config").write_text("model_config_list {}")
    assert run(8501, tmp_path / "empty.config").returncode == 2
