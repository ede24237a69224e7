"""The real Label Studio as a process of its own, and people who use it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.repository import REPOSITORY
from tests.support.server_process import free_ports, wait

START_SECONDS = 1200.0
"""An empty data folder is migrated for minutes."""

ANN, PASSWORD = "al@example.com", "secret123"
TOKEN = "0123456789abcdef" * 2 + "01234567"


class Person:
    """Somebody with a browser: a session, and what its pages do.

    Attributes:
        id: Of the user.
    """

    def __init__(self, url: str) -> None:
        self.url, self.session, self.id = url, requests.Session(), 0

    def _form(self, path: str, **fields: str) -> None:
        page = self.session.get(self.url + path, timeout=300)
        (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[:1]
        response = self.session.post(
            self.url + path,
            data={"csrfmiddlewaretoken": token, **fields},
            headers={"Referer": self.url + path},
            timeout=300,
            allow_redirects=False,
        )
        assert response.status_code == 302, response.text[-2000:]
        self.id = self.ask("GET", "/api/current-user/whoami")["id"]

    def log_in(self, email: str) -> None:
        """Log in as who is there."""
        self._form("/user/login/", email=email, password=PASSWORD)

    def sign_up(self, email: str) -> None:
        """Become a member."""
        self._form("/user/signup/", email=email, password=PASSWORD, how_find_us="")

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call the API; must succeed."""
        headers = {"Referer": self.url, "X-CSRFToken": self.session.cookies.get("csrftoken", "")}
        response = self.session.request(
            method, self.url + path, json=body, params=query, headers=headers, timeout=300
        )
        assert response.status_code < 300, f"{method} {path}: {response.text[:2000]}"
        return response.json() if response.content else None

    def annotate(self, task: int, *choices: str, skip: bool = False) -> int:
        """Submit an annotation, or skip; its number."""
        body = {"result": [] if skip else _result(choices), "lead_time": 1.5, "was_cancelled": skip}
        number: int = self.ask("POST", f"/api/tasks/{task}/annotations/", body)["id"]
        return number

    def change(self, annotation: int, *choices: str) -> None:
        """Change an annotation; without choices it is deleted."""
        path = f"/api/annotations/{annotation}/"
        if choices:
            self.ask("PATCH", path, {"result": _result(choices)})
        else:
            self.ask("DELETE", path)


def _result(choices: tuple[str, ...]) -> list[dict[str, Any]]:
    value = {"choices": [*choices]}
    return [{"from_name": "label", "to_name": "image", "type": "choices", "value": value}]


@contextmanager
def label_studio(folder: Path, document_root: Path) -> Iterator[str]:
    """A Label Studio on a free port of the loopback; yields its address.

    Its executable is that of the environment variable ``LABEL_STUDIO``, or of
    ``.venv-labelstudio``; where ``LABEL_STUDIO_TEMPLATE`` names a data folder that was migrated
    before, it begins with a copy of that.

    Args:
        folder: For its data and its log; made if missing.
        document_root: From which it serves local files.
    """
    default = REPOSITORY / ".venv-labelstudio/bin/label-studio"
    executable = os.environ.get("LABEL_STUDIO", str(default))
    if shutil.which(executable) is None:
        pytest.fail(f"there is no {executable}; 'make labelstudio' makes it")
    data, log_file = folder / "data", folder / "label_studio.log"
    data.mkdir(parents=True)
    if template := os.environ.get("LABEL_STUDIO_TEMPLATE"):
        for name in ("label_studio.sqlite3", ".env"):
            shutil.copy(Path(template) / name, data / name)
    (port,) = free_ports(1)
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [
                executable,
                "start",
                "--no-browser",
                "--internal-host",
                "127.0.0.1",
                "--port",
                str(port),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={
                **os.environ,
                "HOME": str(folder),
                "LABEL_STUDIO_BASE_DATA_DIR": str(data),
                "LABEL_STUDIO_USERNAME": ANN,
                "LABEL_STUDIO_PASSWORD": PASSWORD,
                "LABEL_STUDIO_USER_TOKEN": TOKEN,
                "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
                "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
                "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(document_root),
                "SENTRY_DSN": "",
                "FRONTEND_SENTRY_DSN": "",
                "LATEST_VERSION_CHECK": "false",
                "COLLECT_ANALYTICS": "false",
            },
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait(lambda: _is_up(url), process, log_file, START_SECONDS)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False
