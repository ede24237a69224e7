"""A small Label Studio within the process, which behaves as the real one was seen to."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import answering

LEGACY, PERSONAL = "0123456789abcdef" * 2 + "01234567", "head.body.sign"
PAGE = 100


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


class Call(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    body: Any


class FakeLabelStudio:
    """Projects, tasks, predictions and annotations of one organisation.

    Attributes:
        release: Its version.
        legacy: Whether legacy tokens are taken.
        calls: Method and path of every request that was answered.
        stop_after: Requests after which it hangs up; None for never.
        late: Whether it has done what it hangs up on.
    """

    def __init__(self) -> None:
        self.release, self.legacy = "1.23.2", True
        self.calls: list[tuple[str, str]] = []
        self.stop_after: int | None = None
        self.late = False
        self.access = 0
        self.projects: dict[int, dict[str, Any]] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.storages: list[dict[str, Any]] = []
        self.emails = {1: "ann@example.com", 2: "bob@example.com"}
        self._number = 0
        self.lock = threading.RLock()

    def new_id(self) -> int:
        self._number += 1
        return self._number

    def handle(self, call: Call, authorization: str) -> Any:
        """The answer to a request.

        Raises:
            ConnectionResetError: It hangs up.
            RefusedError: It says no.
        """
        stops = self.stop_after is not None and len(self.calls) >= self.stop_after
        if stops and not self.late:
            raise ConnectionResetError
        answer = self._answer(call, authorization)
        self.calls.append((call.method, call.path))
        if stops:
            raise ConnectionResetError
        return answer

    def _answer(self, call: Call, authorization: str) -> Any:
        if call.path == "/api/version":
            return {"release": self.release, "label-studio-os-package": {}}
        if call.path == "/api/token/refresh":
            if call.body != {"refresh": PERSONAL}:
                raise RefusedError(401, {"detail": "Token is invalid or expired"})
            self.access += 1
            return {"access": f"access{self.access}"}
        self._authorise(authorization)
        for pattern, answer in ROUTES:
            method, path = pattern.split(" ")
            if call.method == method and (found := re.fullmatch(path, call.path)):
                return answer(self, call, *map(int, found.groups()))
        raise RefusedError(404, {"detail": "Not found."})

    def _authorise(self, authorization: str) -> None:
        if authorization == f"Token {LEGACY}":
            if not self.legacy:
                detail = "Authentication token no longer valid: legacy token authentication has "
                raise RefusedError(401, {"detail": f"{detail}been disabled for this organization"})
        elif authorization != f"Bearer access{self.access}" or not self.access:
            raise RefusedError(401, {"detail": "Invalid token."})

    def whoami(self, call: Call) -> Any:
        return {"id": 1, "email": self.emails[1]}

    def list_projects(self, call: Call) -> Any:
        page = _page([*self.projects.values()], call.query)
        return {"count": len(self.projects), "results": page}

    def make_project(self, call: Call) -> Any:
        if len(call.body["title"]) < 3:
            raise RefusedError(400, {"validation_errors": {"title": ["at least 3 characters"]}})
        project = {"id": self.new_id(), "model_version": "", **call.body}
        self.projects[project["id"]] = project
        return project

    def project(self, call: Call, number: int) -> Any:
        if number not in self.projects:
            raise RefusedError(404, {"detail": "No Project matches the given query."})
        return self.projects[number]

    def patch_project(self, call: Call, number: int) -> Any:
        versions = {p["model_version"] for t in self.of(number) for p in t["predictions"]}
        if call.body.get("model_version", "") not in versions | {""}:
            raise RefusedError(400, {"validation_errors": {"model_version": ["doesn't exist"]}})
        self.projects[number].update(call.body)
        return self.projects[number]

    def of(self, project: int) -> list[dict[str, Any]]:
        """Tasks of a project."""
        return [task for task in self.tasks.values() if task["project"] == project]

    def import_tasks(self, call: Call, number: int) -> Any:
        ids, predictions = [], 0
        for task in call.body:
            for one in task.get("predictions", ()):
                _check_score(one)
            new = {
                "id": self.new_id(), "project": number, "data": task["data"], "annotations": [],
                "predictions": [dict(one) for one in task.get("predictions", ())],
            }  # fmt: skip
            self.tasks[new["id"]] = new
            ids.append(new["id"])
            predictions += len(new["predictions"])
        return {"task_count": len(ids), "prediction_count": predictions, "task_ids": ids}

    def import_predictions(self, call: Call, number: int) -> Any:
        try:
            for one in call.body:
                _check_score(one)
        except RefusedError:
            return {"created": 0}
        for one in call.body:
            self.tasks[one["task"]]["predictions"].append(dict(one))
        return {"created": len(call.body)}

    def list_tasks(self, call: Call) -> Any:
        tasks = self.of(int(call.query["project"]))
        items = json.loads(call.query.get("query", "{}")).get("filters", {}).get("items", [])
        for item in items:
            assert item["operator"] == "in_list", item
            field = item["filter"].removeprefix("filter:tasks:data.")
            tasks = [task for task in tasks if task["data"].get(field) in item["value"]]
        shown = [
            {
                **task,
                "total_annotations": sum(not a["was_cancelled"] for a in task["annotations"]),
                "cancelled_annotations": sum(a["was_cancelled"] for a in task["annotations"]),
            }
            for task in _page(tasks, call.query)
        ]
        return {"total": len(tasks), "tasks": shown}

    def next_task(self, call: Call, number: int) -> Any:
        """Of the tasks that nobody has annotated, that of the lowest score."""
        version = self.projects[number]["model_version"]
        left = [task for task in self.of(number) if not task["annotations"]]
        if not left:
            raise RefusedError(404, {"detail": "There are still some tasks to complete"})

        def score(task: dict[str, Any]) -> float:
            scores = [p["score"] for p in task["predictions"] if p["model_version"] == version]
            return scores[-1] if scores else 2.0

        return min(left, key=score)

    def list_storages(self, call: Call) -> Any:
        return [one for one in self.storages if one["project"] == int(call.query["project"])]

    def make_storage(self, call: Call) -> Any:
        if "served" not in call.body["path"]:
            raise RefusedError(400, {"non_field_errors": ["Path must start with the root"]})
        self.storages.append({"id": self.new_id(), **call.body})
        return self.storages[-1]

    def annotate(self, task: int, *choices: str, by: int = 1, skip: bool = False) -> int:
        """Annotate as somebody does; the number of the annotation."""
        result = [
            {
                "from_name": "label", "to_name": "image", "type": "choices",
                "value": {"choices": [*choices]},
            }
        ]  # fmt: skip
        annotation = {"id": self.new_id(), "result": [] if skip else result, "completed_by": by}
        annotation |= {"was_cancelled": skip, "updated_at": f"2026-01-01T00:00:{self._number:06}Z"}
        self.tasks[task]["annotations"].append(annotation)
        return annotation["id"]

    def change(self, annotation: int, *choices: str) -> None:
        """Change an annotation; without choices it is deleted."""
        for task in self.tasks.values():
            for one in [*task["annotations"]]:
                if one["id"] == annotation and choices:
                    one["result"][0]["value"]["choices"] = [*choices]
                    one["updated_at"] = f"2026-01-02T00:00:{self.new_id():06}Z"
                elif one["id"] == annotation:
                    task["annotations"].remove(one)

    def export(self, call: Call, number: int) -> Any:
        assert call.query == {"exportType": "JSON"}
        return self.exported(number)

    def exported(self, number: int) -> list[dict[str, Any]]:
        """Tasks with annotations, as JSON holds them."""
        return json.loads(json.dumps([task for task in self.of(number) if task["annotations"]]))


ROUTES: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("GET /api/current-user/whoami", FakeLabelStudio.whoami),
    ("GET /api/projects/", FakeLabelStudio.list_projects),
    ("POST /api/projects/", FakeLabelStudio.make_project),
    (r"GET /api/projects/(\d+)/", FakeLabelStudio.project),
    (r"PATCH /api/projects/(\d+)/", FakeLabelStudio.patch_project),
    (r"POST /api/projects/(\d+)/import", FakeLabelStudio.import_tasks),
    (r"POST /api/projects/(\d+)/import/predictions", FakeLabelStudio.import_predictions),
    (r"GET /api/projects/(\d+)/next", FakeLabelStudio.next_task),
    (r"GET /api/projects/(\d+)/export", FakeLabelStudio.export),
    ("GET /api/tasks/", FakeLabelStudio.list_tasks),
    ("GET /api/storages/localfiles/", FakeLabelStudio.list_storages),
    ("POST /api/storages/localfiles/", FakeLabelStudio.make_storage),
)


def _check_score(prediction: dict[str, Any]) -> None:
    if not 0 <= prediction["score"] <= 1:
        raise RefusedError(400, {"validation_errors": {"score": ["must be between 0 and 1"]}})


def _page(listed: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    page, size = int(query.get("page", 1)), min(int(query.get("page_size", PAGE)), PAGE)
    if page > 1 and (page - 1) * size >= len(listed):
        raise RefusedError(404, {"detail": "Invalid page."})
    return listed[(page - 1) * size : page * size]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    studio: FakeLabelStudio

    def do_GET(self) -> None:
        self.respond("GET")

    def do_POST(self) -> None:
        self.respond("POST")

    def do_PATCH(self) -> None:
        self.respond("PATCH")

    def respond(self, method: str) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        call = Call(method, parts.path, query, json.loads(content) if content else None)
        try:
            with self.studio.lock:
                answer = self.studio.handle(call, self.headers.get("Authorization", ""))
            status = 200 if method == "GET" else 201
        except RefusedError as error:
            status, answer = error.status, error.body
        except ConnectionResetError:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        with contextlib.suppress(OSError):
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(studio: FakeLabelStudio) -> Iterator[str]:
    """Serves until the block ends; yields the address."""
    handler = type("Bound", (_Handler,), {"studio": studio})
    with answering(handler) as address:
        yield address
